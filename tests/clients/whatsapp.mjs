// A stand-in for web.whatsapp.com: TLS and a WebSocket at /ws/chat. It reports the first message of every client as one
// JSON line and then stays silent, as the real one does until its client is paired.
//
//   node whatsapp.mjs CERTIFICATE KEY
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';

const [certificate, key] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
const sockets = new WebSocketServer({ server, path: '/ws/chat' });

sockets.on('connection', (socket, request) => {
  const from = { address: request.socket.remoteAddress, path: request.url, host: request.headers.host, origin: request.headers.origin };
  socket.once('message', (data, isBinary) => say({ event: 'first_message', ...from, binary: isBinary, hex: data.toString('hex') }));
  socket.on('close', (code) => say({ event: 'closed', ...from, code }));
});

server.listen(0, '127.0.0.1', () => say({ event: 'listening', port: server.address().port }));
