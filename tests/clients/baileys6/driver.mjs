// Baileys 6.7, with the agents that were current then; it downloads by axios.
import * as baileys from '@whiskeysockets/baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { serveBaileys } from '../baileys_jobs.mjs';

const downloading = (proxy) => ({ httpsAgent: proxy.startsWith('socks') ? new SocksProxyAgent(proxy) : new HttpsProxyAgent(proxy) });
serveBaileys(baileys, { HttpsProxyAgent, SocksProxyAgent }, downloading);
