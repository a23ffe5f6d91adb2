// Chromium whose page asks a STUN server and a relay for its own address, as whoever looks for leaks does.
//
//   node webrtc_driver.mjs CHROMIUM PORT FLAG...        the port of both on loopback
import puppeteer from 'puppeteer-core';
import { say } from './jobs.mjs';

const [executablePath, port, ...flags] = process.argv.slice(2);

const browser = await puppeteer.launch({
  executablePath,
  pipe: true,  // it ends with this program, however that ends
  headless: executablePath.endsWith('shell') ? 'shell' : true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...flags],
});
const page = await browser.newPage();
const candidates = await page.evaluate(
  (at) =>
    new Promise((resolve, reject) => {
      const found = [];
      const peer = new RTCPeerConnection({
        iceServers: [
          { urls: `stun:${at}` },
          { urls: `turn:${at}?transport=tcp`, username: 'user', credential: 'password' },
        ],
      });
      peer.onicecandidate = ({ candidate }) => candidate && found.push(candidate.candidate);
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve(found);
      peer.createDataChannel('data');
      peer.createOffer().then((offer) => peer.setLocalDescription(offer)).catch(reject);
    }),
  `127.0.0.1:${port}`,
);
say({ event: 'gathered', candidates });
await browser.close();
