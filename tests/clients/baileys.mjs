// An unmodified Baileys with a new login, pointed at one chip's port. It reports what Baileys reports, one JSON line each,
// until it is ended.
//
//   node baileys.mjs http://127.0.0.1:20001
//   node baileys.mjs socks5h://127.0.0.1:20001
import { makeWASocket, initAuthCreds } from '@whiskeysockets/baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { ProxyAgent } from 'undici';

const [url] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const started = Date.now();

const agent = () => (url.startsWith('socks') ? new SocksProxyAgent(url) : new HttpsProxyAgent(url));
const silent = { level: 'silent', child: () => silent };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) silent[level] = () => {};

const socket = makeWASocket({
  auth: { creds: initAuthCreds(), keys: { get: async () => ({}), set: async () => {} } },
  logger: silent,
  agent: agent(),
  fetchAgent: agent(),
  options: url.startsWith('socks') ? {} : { dispatcher: new ProxyAgent(url) },
});

socket.ev.on('connection.update', ({ connection, lastDisconnect }) => {
  if (!connection) return;
  const error = lastDisconnect?.error;
  say({ event: connection, code: error?.output?.statusCode, error: error?.message, seconds: (Date.now() - started) / 1000 });
});
