// A stand-in for WhatsApp's hosts: a WebSocket at /ws/chat that is as silent as the real one until its client is paired, one
// at /ws/echo, and media. It reports every request and the first message of every WebSocket as one JSON line.
//
//   node whatsapp.mjs CERTIFICATE KEY
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
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

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, answer) => {
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

const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => {
  const who = { ...from(request), origin: request.headers.origin };
  socket.once('message', (data, isBinary) => say({ event: 'first_message', ...who, binary: isBinary, hex: data.toString('hex') }));
  socket.on('close', (code) => say({ event: 'closed', ...who, code }));
  socket.on('error', () => {});
  if (request.url === '/ws/echo') socket.on('message', (data, binary) => socket.send(data, { binary }));
});

server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
