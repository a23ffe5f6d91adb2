// What Node programs use to reach a proxy, driven by jobs: {id, client, task, proxy, ...}.
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { buffer, text } from 'node:stream/consumers';
import axios from 'axios';
import axios16 from 'axios-1.6';
import { HttpsProxyAgent as Agent9 } from 'https-proxy-agent';
import { HttpsProxyAgent as Agent7 } from 'https-proxy-agent-7';
import agent5 from 'https-proxy-agent-5';
import { SocksProxyAgent } from 'socks-proxy-agent';
import * as undici7 from 'undici';
import * as undici6 from 'undici-6';
import { WebSocket } from 'ws';
import { pattern, serveJobs } from './jobs.mjs';

const hashed = (data) => ({ bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') });

// --- Node's own https and ws with an agent

const ask = (agent, url, body) =>
  new Promise((resolve, reject) => {
    const request = https.request(url, { agent, method: body ? 'POST' : 'GET' }, resolve);
    request.on('error', reject);
    request.end(body);
  });

const talk = (socket, message) =>
  new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(message);
    socket.onmessage = ({ data }) => {
      resolve({ answer: String(data) });
      socket.close();
    };
    socket.onerror = (event) => reject(event.error ?? new Error(event.message ?? 'the WebSocket failed'));
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });

// For agents the bare tunnel that they make.
const halfClose = async (open, { message }) => {
  const socket = await open();
  socket.end(message);
  return { answer: await text(socket) };
};

const withAgent = (agentFor, socketOf) => ({
  page: async ({ proxy, url }) => {
    const answer = await ask(agentFor(proxy), url);
    return { status: answer.statusCode, body: await text(answer) };
  },
  upload: async ({ proxy, url, bytes }) => ({ body: await text(await ask(agentFor(proxy), url, pattern(bytes))) }),
  download: async ({ proxy, url }) => hashed(await buffer(await ask(agentFor(proxy), url))),
  together: async ({ proxy, urls }) => {
    const agent = agentFor(proxy);
    return { bodies: await Promise.all(urls.map(async (url) => text(await ask(agent, url)))) };
  },
  websocket: ({ proxy, url, message }) => talk(new WebSocket(url, { agent: agentFor(proxy) }), message),
  half_close: (job) => halfClose(() => socketOf(agentFor(job.proxy), job), job),
});

const connectOf = (agent, { host, port }) => {
  const request = http.request({ host, port });
  request.on('error', () => {});  // it is never sent
  return agent.connect(request, { host, port, secureEndpoint: false });
};
const callbackOf = (agent, { host, port }) => agent.callback(http.request({ host, port }).on('error', () => {}), { host, port, secureEndpoint: false });

// --- ws, with an agent

const opened = (proxy, url) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('https:', 'wss:'), { agent: new Agent9(proxy), perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
const answered = (socket, ...message) =>
  new Promise((resolve, reject) => {
    socket.once('message', resolve);
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
    for (const one of message) socket.send(one);
  });
const exchanged = async (proxy, url, message) => {
  const socket = await opened(proxy, url);
  const answer = await answered(socket, message);
  socket.close();
  return answer;
};

const withWebSockets = {
  page: async ({ proxy, url }) => ({ body: String(await answered(await opened(proxy, url))) }),
  websocket: async ({ proxy, url, message }) => ({ answer: String(await exchanged(proxy, url, message)) }),
  upload: async ({ proxy, url, bytes }) => ({ body: String(await exchanged(proxy, url, pattern(bytes))) }),
  download: async ({ proxy, url }) => hashed(await exchanged(proxy, url, 'all of it')),
  together: async ({ proxy, urls }) => {
    const sockets = await Promise.all(urls.map((url) => opened(proxy, url)));
    const bodies = await Promise.all(sockets.map((socket) => answered(socket, 'together')));
    for (const socket of sockets) socket.close();
    return { bodies: bodies.map(String) };
  },
  farewell: async ({ proxy, url, message }) => {
    const socket = await opened(proxy, url);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const answer = String(await answered(socket, message));
    return { answer, code: await closed };
  },
};

// --- undici

const withUndici = ({ fetch, upgrade, ProxyAgent, WebSocket: Socket }) => {
  const through = async (proxy, use) => {
    const dispatcher = new ProxyAgent(proxy);
    try {
      return await use(dispatcher);
    } finally {
      await dispatcher.destroy();
    }
  };
  return {
    page: ({ proxy, url }) =>
      through(proxy, async (dispatcher) => {
        const answer = await fetch(url, { dispatcher });
        return { status: answer.status, body: await answer.text() };
      }),
    upload: ({ proxy, url, bytes }) =>
      through(proxy, async (dispatcher) => ({ body: await (await fetch(url, { dispatcher, method: 'POST', body: pattern(bytes) })).text() })),
    download: ({ proxy, url }) =>
      through(proxy, async (dispatcher) => hashed(Buffer.from(await (await fetch(url, { dispatcher })).arrayBuffer()))),
    together: ({ proxy, urls }) =>
      through(proxy, async (dispatcher) => ({
        bodies: await Promise.all(urls.map(async (url) => (await fetch(url, { dispatcher })).text())),
      })),
    websocket: ({ proxy, url, message }) => through(proxy, (dispatcher) => talk(new Socket(url, { dispatcher }), message)),
    // Only what was upgraded is the caller's own connection.
    half_close: ({ proxy, https, message }) =>
      through(proxy, async (dispatcher) =>
        halfClose(async () => (await upgrade(`${https}/upgrade`, { dispatcher, protocol: 'reverse' })).socket, { message })),
  };
};

// --- axios

const withAxios = (client, how) => ({
  page: async ({ proxy, url }) => {
    const { status, data } = await client.get(url, { ...how(proxy), responseType: 'text', validateStatus: null });
    return { status, body: data };
  },
  upload: async ({ proxy, url, bytes }) => {
    const limits = { maxBodyLength: Infinity, maxContentLength: Infinity };
    return { body: (await client.post(url, pattern(bytes), { ...how(proxy), ...limits, responseType: 'text', transformResponse: (data) => data })).data };
  },
  download: async ({ proxy, url }) => hashed(Buffer.from((await client.get(url, { ...how(proxy), responseType: 'arraybuffer' })).data)),
  together: async ({ proxy, urls }) => ({
    bodies: await Promise.all(urls.map(async (url) => (await client.get(url, { ...how(proxy), responseType: 'text' })).data)),
  }),
  // While the answer's body is still to come.
  half_close: async ({ proxy, https, message }) => {
    const { request, data } = await client.get(`${https}/after/${encodeURIComponent(message)}`, { ...how(proxy), responseType: 'stream' });
    request.socket.end();
    return { answer: await text(data) };
  },
});

const byOption = (proxy) => {
  const { hostname, port } = new URL(proxy);
  return { proxy: { protocol: 'http', host: hostname, port: Number(port) } };
};
const byAgent = (proxy) => ({ proxy: false, httpsAgent: new Agent7(proxy) });

const clients = {
  'https-proxy-agent 9': withAgent((proxy) => new Agent9(proxy), connectOf),
  'https-proxy-agent 7': withAgent((proxy) => new Agent7(proxy), connectOf),
  'https-proxy-agent 5': withAgent((proxy) => agent5(proxy), callbackOf),
  'socks-proxy-agent': withAgent((proxy) => new SocksProxyAgent(proxy), connectOf),
  'undici 7': withUndici(undici7),
  'undici 6': withUndici(undici6),
  'axios': withAxios(axios, byOption),
  'axios 1.6 with an agent': withAxios(axios16, byAgent),
  'axios 1.6': withAxios(axios16, byOption),
  'ws': withWebSockets,
};

serveJobs((job) => clients[job.client][job.task](job));
