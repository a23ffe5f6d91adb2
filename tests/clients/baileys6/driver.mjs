// Baileys 6.7, with the agents that were current then.
import * as baileys from '@whiskeysockets/baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { serveBaileys } from '../baileys_jobs.mjs';

serveBaileys(baileys, { HttpsProxyAgent, SocksProxyAgent });
