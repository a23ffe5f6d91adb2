// An unmodified Baileys of either version, driven by jobs. `login` opens its WebSocket with a new login, at a URL of its
// own where one is given, and reports what Baileys reports, one line each; `end` ends what another job opened; `media` is a file, encrypted, there and back.
import { createHash } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { pattern, say, serveJobs } from './jobs.mjs';

const silent = { level: 'silent', child: () => silent };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) silent[level] = () => {};

// `downloading(url)` is what a version wants in `options` for its downloads to go through the proxy.
export function serveBaileys(baileys, { HttpsProxyAgent, SocksProxyAgent }, downloading) {
  const open = new Map();
  const agentFor = (proxy) => (proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy));

  const login = ({ id, proxy, url }) => {
    const started = Date.now();
    const report = (line) => say({ id, seconds: (Date.now() - started) / 1000, ...line });
    const socket = baileys.makeWASocket({
      auth: { creds: baileys.initAuthCreds(), keys: { get: async () => ({}), set: async () => {} } },
      logger: silent,
      agent: agentFor(proxy),
      fetchAgent: agentFor(proxy),
      options: downloading(proxy),
      ...(url ? { waWebSocketUrl: url } : {}),
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
  // Baileys 6 gives its file away while it is being written, and may upload none of it: AES-CBC's padded length and a MAC.
  const written = async (path, bytes) => {
    const whole = bytes - (bytes % 16) + 16 + 10;
    const size = () => stat(path).then((found) => found.size, () => 0);
    for (let tries = 0; (await size()) < whole; ++tries) {
      if (tries === 1_000) throw new Error(`${path} is never written whole`);
      await pause(5);
    }
  };
  // As a logged-in socket does it; only which hosts there are, and the right to use them, come from WhatsApp.
  const media = async ({ proxy, bytes, host }) => {
    const options = downloading(proxy);
    const file = await baileys.encryptedStream(pattern(bytes), 'document', { logger: silent });
    await written(file.encFilePath, bytes);
    const granted = async () => ({ auth: 'granted', hosts: [{ hostname: host }] });
    const upload = baileys.getWAUploadToServer({ customUploadHosts: [], fetchAgent: agentFor(proxy), logger: silent, options }, granted);
    try {
      const fileEncSha256B64 = file.fileEncSha256.toString('base64');
      const { directPath } = await upload(file.encFilePath, { mediaType: 'document', fileEncSha256B64, timeoutMs: 20_000 });
      const content = await baileys.downloadContentFromMessage({ mediaKey: file.mediaKey, directPath }, 'document', { options });
      const data = await buffer(content);
      return { bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') };
    } finally {
      await rm(file.encFilePath, { force: true });
    }
  };
  serveJobs(async (job) => (job.task === 'media' ? media(job) : void { login, end }[job.task](job)));
}
