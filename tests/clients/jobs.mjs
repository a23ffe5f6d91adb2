// A client under test as a program: jobs come as JSON lines, and each is answered by one or more lines with its id.
import { createInterface } from 'node:readline';

// `at`, in seconds of Unix time, is when.
export const say = (line) => process.stdout.write(`${JSON.stringify({ at: Date.now() / 1000, ...line })}\n`);

// What media are made of; the tests know it by heart.
export const pattern = (bytes) => Buffer.alloc(bytes, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));

const told = (error) => {
  const parts = [error, error?.cause].filter(Boolean);
  return { error: parts.map((part) => `${part.code ?? part.name ?? ''}: ${part.message ?? part}`).join('; ') };
};

// Says that it is ready, then runs each job as it comes, all at the same time. `run(job)` gives what the answer says.
export function serveJobs(run, about = {}) {
  createInterface({ input: process.stdin }).on('line', async (text) => {
    const job = JSON.parse(text);
    const started = Date.now();
    const answer = await Promise.resolve(job).then(run).catch(told);
    if (answer) say({ id: job.id, seconds: (Date.now() - started) / 1000, ...answer });
  });
  // Clients that throw from their sockets' events would end the program otherwise, and with it all other jobs.
  process.on('uncaughtException', (error) => say({ event: 'uncaught', ...told(error) }));
  process.on('unhandledRejection', (error) => say({ event: 'unhandled', ...told(error) }));
  say({ event: 'ready', ...about });
}
