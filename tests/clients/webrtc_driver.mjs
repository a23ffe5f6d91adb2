// Chromium whose page asks a STUN server and a relay for its own address, as whoever looks for leaks does.
//
//   node webrtc_driver.mjs CHROMIUM STUN RELAY FLAG...        of both HOST:PORT
import puppeteer from 'puppeteer-core';
import { say } from './jobs.mjs';

const [executablePath, stun, relay, ...flags] = process.argv.slice(2);

const browser = await puppeteer.launch({
  executablePath,
  pipe: true,  // it ends with this program, however that ends
  headless: executablePath.endsWith('shell') ? 'shell' : true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...flags],
});
const page = await browser.newPage();
const candidates = await page.evaluate(
  (asked) =>
    new Promise((resolve, reject) => {
      const found = [];
      const peer = new RTCPeerConnection({
        iceServers: [
          { urls: `stun:${asked.stun}` },
          { urls: `turn:${asked.relay}?transport=tcp`, username: 'user', credential: 'password' },
        ],
      });
      peer.onicecandidate = ({ candidate }) => candidate && found.push(candidate.candidate);
      peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && resolve(found);
      peer.createDataChannel('data');
      peer.createOffer().then((offer) => peer.setLocalDescription(offer)).catch(reject);
    }),
  { stun, relay },
);
say({ event: 'gathered', candidates });
await browser.close();
