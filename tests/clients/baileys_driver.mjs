// Baileys 7, which downloads by fetch.
import * as baileys from '@whiskeysockets/baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { ProxyAgent } from 'undici';
import { serveBaileys } from './baileys_jobs.mjs';

const downloading = (proxy) => (proxy.startsWith('socks') ? {} : { dispatcher: new ProxyAgent(proxy) });
serveBaileys(baileys, { HttpsProxyAgent, SocksProxyAgent }, downloading);
