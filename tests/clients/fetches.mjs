// Asks for a page in those ways of Node programs that node_driver.mjs has no client for, and reports each answer as one
// JSON line: {"how": ..., "body": ...} or {"how": ..., "error": ...}.
//
//   node fetches.mjs PROXY_PORT HTTP_URL HTTPS_URL
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { ProxyAgent, fetch as undiciFetch } from 'undici';

const [port, plain, secure] = process.argv.slice(2);
const connect = `http://127.0.0.1:${port}`;
const socks = `socks5h://127.0.0.1:${port}`;

const request = (url, agent) =>
  new Promise((resolve, reject) => {
    http.get(url, { agent, timeout: 16_000 }, (answer) => resolve(text(answer))).on('error', reject);
  });
const fetched = async (fetch, url) => {
  const dispatcher = new ProxyAgent(connect);
  try {
    return await (await fetch(url, { dispatcher, signal: AbortSignal.timeout(16_000) })).text();
  } finally {
    await dispatcher.close();
  }
};

const ways = {
  'http.get through SocksProxyAgent': () => request(plain, new SocksProxyAgent(socks)),
  'fetch of undici with its ProxyAgent, http': () => fetched(undiciFetch, plain),
  'fetch of Node with undici\'s ProxyAgent, https': () => fetched(fetch, secure),
};

for (const [how, ask] of Object.entries(ways)) {
  const line = await ask().then((body) => ({ how, body: body.trim() }), (error) => ({ how, error: `${error} ${error.cause ?? ''}` }));
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
