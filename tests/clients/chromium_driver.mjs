// Chromium, driven by jobs: each has a browser context of its own, with its own proxy.
//
//   node chromium_driver.mjs CHROMIUM SPKI        the hash of the key of the only certificate that it is to trust
import puppeteer from 'puppeteer-core';
import { say, serveJobs } from './jobs.mjs';

const [executablePath, spki] = process.argv.slice(2);
// What the page is that its scripts run in.
const home = 'https://web.whatsapp.com/home';

const browser = await puppeteer.launch({
  executablePath,
  pipe: true,  // it ends with this program, however that ends
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--ignore-certificate-errors-spki-list=${spki}`,
    '--disable-background-networking', '--disable-component-update', '--no-pings',
  ],
});

// In the page: what its scripts can do.
const inPage = {
  upload: async ({ url, bytes }) => {
    const body = new Uint8Array(bytes).map((_, i) => i % 251);
    return { body: await (await fetch(url, { method: 'POST', body: new Blob([body]) })).text() };
  },
  download: async ({ url }) => {
    const data = await (await fetch(url)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return { bytes: data.byteLength, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  },
  together: async ({ urls }) => ({ bodies: await Promise.all(urls.map(async (url) => (await fetch(url)).text())) }),
  websocket: ({ url, message }) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.onopen = () => socket.send(message);
      socket.onmessage = ({ data }) => resolve({ answer: data });
      socket.onerror = () => reject(new Error('the WebSocket failed'));
      socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    }),
};

// 0 is no limit.
const visit = async (page, url, seconds = 0) => {
  const answer = await page.goto(url, { timeout: seconds * 1000 });
  return { status: answer.status(), body: await answer.text() };
};

// One after the other: many at the same time keep a busy machine from finishing any.
let opened = Promise.resolve();
const openPage = (proxyServer) => {
  opened = opened.catch(() => {}).then(async () => {
    const context = await browser.createBrowserContext({ proxyServer, proxyBypassList: ['<-loopback>'] });
    return { context, page: await context.newPage() };
  });
  return opened;
};

const run = async (job) => {
  const { context, page } = await openPage(job.proxy);
  page.setDefaultTimeout(0);
  if (job.any_certificate) {
    await (await page.createCDPSession()).send('Security.setIgnoreCertificateErrors', { ignore: true });
  }
  // What it took until here is no part of what the proxy costs.
  say({ id: job.id, event: 'began' });
  const started = Date.now();
  try {
    if (job.task === 'page') return { ...(await visit(page, job.url, job.limit)), seconds: (Date.now() - started) / 1000 };
    await visit(page, home);
    return await page.evaluate(inPage[job.task], job);
  } catch (error) {
    return { error: error.message, seconds: (Date.now() - started) / 1000 };
  } finally {
    await context.close().catch(() => {});
  }
};

serveJobs(run, { pid: browser.process().pid });
