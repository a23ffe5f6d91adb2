// An unmodified Baileys of either version, driven by jobs. `login` opens its WebSocket with a new login and reports what
// Baileys reports, one line each; `end` ends what another job opened.
import { say, serveJobs } from './jobs.mjs';

const silent = { level: 'silent', child: () => silent };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) silent[level] = () => {};

export function serveBaileys({ makeWASocket, initAuthCreds }, { HttpsProxyAgent, SocksProxyAgent }) {
  const open = new Map();
  const agentFor = (proxy) => (proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy));

  const login = ({ id, proxy }) => {
    const started = Date.now();
    const report = (line) => say({ id, seconds: (Date.now() - started) / 1000, ...line });
    const socket = makeWASocket({
      auth: { creds: initAuthCreds(), keys: { get: async () => ({}), set: async () => {} } },
      logger: silent,
      agent: agentFor(proxy),
      fetchAgent: agentFor(proxy),
    });
    open.set(id, socket);
    socket.ws.on('open', () => report({ event: 'upgraded' }));
    socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (!connection) return;
      const error = lastDisconnect?.error;
      report({ event: connection, code: error?.output?.statusCode, error: error?.message });
    });
  };
  const end = ({ of }) => {
    open.get(of)?.end(undefined);
    open.delete(of);
  };
  serveJobs((job) => void { login, end }[job.task](job));
}
