// A stand-in for WhatsApp's hosts: WebSockets that are as silent as the real one until its client is paired, some that answer,
// media, and a server that ends its sides one by one. It reports every request and the first message of every WebSocket as one JSON line.
//
//   node whatsapp.mjs CERTIFICATE KEY
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { pattern } from './jobs.mjs';

const [certificate, key] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const from = (request) => ({ address: request.socket.remoteAddress, path: request.url, host: request.headers.host });

const upload = (request, answer) => {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (data) => {
    hash.update(data);
    bytes += data.length;
  });
  request.on('end', () => answer.end(JSON.stringify({ bytes, sha256: hash.digest('hex') })));
};

// What Baileys uploads, by its path; who knows the path gets it back.
const stored = new Map();
const media = async (request, answer) => {
  const { pathname } = new URL(request.url, `https://${request.headers.host}`);
  if (request.method !== 'POST') return void answer.end(stored.get(pathname));
  stored.set(pathname, await buffer(request));
  answer.end(JSON.stringify({ url: `https://${request.headers.host}${pathname}`, direct_path: pathname }));
};

// Nobody is answered before as many are there as are to come: they are open at the same time.
const gathered = new Map();
const together = (answer, name, count) => {
  const waiting = gathered.get(name) ?? [];
  gathered.set(name, [...waiting, answer]);
  if (waiting.length + 1 < Number(count)) return;
  for (const one of gathered.get(name)) one.end('together');
  gathered.delete(name);
};

// Paths that are never answered, but for who asks once more: some clients do that by themselves after a cut.
const asked = new Set();

const identity = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(identity, (request, answer) => {
  say({ event: 'request', method: request.method, ...from(request) });
  answer.setHeader('Access-Control-Allow-Origin', '*');
  const [what, first, second] = request.url.split('/').slice(1);
  if (what === 'wait' && !asked.has(request.url)) return void asked.add(request.url);
  if (what === 'upload') upload(request, answer);
  else if (what === 'download') answer.end(pattern(Number(first)));
  else if (what === 'mms') media(request, answer).catch(() => answer.destroy());
  else if (what === 'together') together(answer, first, second);
  else answer.end(request.socket.remoteAddress);
});
server.on('clientError', (_error, socket) => socket.destroy());
server.on('tlsClientError', () => {});

server.on('upgrade', (request) => say({ event: 'request', method: request.method, ...from(request) }));

// What a WebSocket's messages are answered with, by the first part of its path or all of it; no other is answered.
const echo = (socket, data, binary) => socket.send(data, { binary });
const answering = {
  '/ws/echo': echo,
  '/ws/farewell': (socket, data, binary) => {
    echo(socket, data, binary);
    socket.close(1000);
  },
  '/together': echo,
  '/upload': (socket, data) => socket.send(JSON.stringify({ bytes: data.length, sha256: createHash('sha256').update(data).digest('hex') })),
  '/download': (socket, _data, _binary, bytes) => socket.send(pattern(Number(bytes))),
};
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => {
  const who = { ...from(request), origin: request.headers.origin };
  socket.once('message', (data, isBinary) => {
    const head = isBinary ? data.subarray(0, 64) : data;
    say({ event: 'first_message', ...who, binary: isBinary, hex: head.toString('hex') });
  });
  socket.on('close', (code) => say({ event: 'closed', ...who, code }));
  socket.on('error', () => {});
  const [first, second] = request.url.split('/').slice(1);
  const answer = answering[request.url] ?? answering[`/${first}`];
  if (answer) socket.on('message', (data, binary) => answer(socket, data, binary, second));
});

// It reads its heads itself, since HTTP servers end with their clients. /ends answers and ends its side first. /after/TEXT
// and an upgrade wait for the client's end, and answer it with the text, or with what came after the head, from back to front.
const headEnd = '\r\n\r\n';
const reversed = (text) => [...text].reverse().join('');
const halves = createTlsServer({ ...identity, allowHalfOpen: true }, (socket) => {
  let heard = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1');
  socket.on('data', (data) => {
    const answered = heard.includes(headEnd);
    heard += data;
    if (answered || !heard.includes(headEnd)) return;
    const upgrades = /^upgrade: reverse/im.test(heard);
    const how = upgrades ? '101 Switching Protocols\r\nUpgrade: reverse\r\nConnection: Upgrade' : '200 OK\r\nConnection: close';
    socket.write(`HTTP/1.1 ${how}\r\n\r\n`);
    if (heard.startsWith('GET /ends ')) socket.end('that is all');
  });
  socket.on('end', () => {
    if (!socket.writable) return;
    const text = heard.match(/^GET \/after\/(\S+)/)?.[1];
    socket.end(reversed(text ? decodeURIComponent(text) : heard.split(headEnd)[1] ?? ''));
  });
});
halves.on('tlsClientError', () => {});

server.listen(0, '127.0.0.1', () =>
  halves.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port, halves: halves.address().port })));
