// SPDX-License-Identifier: Apache-2.0
// A device by docs/protocol.md, with nothing of ours: `client.mjs FOLDER enrol TOKEN`, then
// `client.mjs FOLDER run [--poll]`. It says of everything that it runs. 3: refused for ever.
import crypto from 'node:crypto';
import { on, once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
const [folder, verb, argument] = process.argv.slice(2);
const say = (event, value) => console.log(event, JSON.stringify(value));
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');
const software = { agent_version: '0.1.0', abilities: ['services', 'clear-command', 'policy'] };
const facts = { hostname: 'client', os: `Node.js ${process.version}` };
const instance = crypto.randomBytes(16).toString('hex');

// Sections 8 and 4: the state folder, keys, proofs.
const load = (name) => fs.existsSync(`${folder}/${name}.json`)
    && JSON.parse(fs.readFileSync(`${folder}/${name}.json`));
function save(name, value) {
    const path = `${folder}/${name}.json`, text = JSON.stringify({ format: 1, reads: 1, ...value });
    fs.writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    fs.renameSync(`${path}.new`, path);
    const directory = fs.openSync(folder);
    fs.fsyncSync(directory);
    fs.closeSync(directory);
    return value;
}
function keyOf({ seed }) {
    const head = Buffer.from('302e020100300506032b657004220420', 'hex'); // RFC 8410
    const key = Buffer.concat([head, Buffer.from(seed, 'base64')]);
    const secret = crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
    const { x } = crypto.createPublicKey(secret).export({ format: 'jwk' });
    return { secret, public_key: Buffer.from(x, 'base64url').toString('base64') };
}
function prove(identity, socket, challenge, claims) {
    const body = { aud: challenge.audience, nonce: challenge.nonce, ...claims };
    const binding = () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding');
    if (challenge.binding === 'tls-exporter') body.binding = binding().toString('base64');
    const signed = ['{"alg":"EdDSA","typ":"JWT"}', JSON.stringify(body)]
        .map((text) => Buffer.from(text).toString('base64url')).join('.');
    const bytes = crypto.sign(null, Buffer.from(signed), keyOf(identity).secret);
    return `${signed}.${bytes.toString('base64url')}`;
}

// Section 3: joining. An `agent` keeps one connection from a challenge to what answers it.
const agentOf = (tls) => new https.Agent({ keepAlive: true, maxSockets: 1, ...tls });
async function post(agent, url, body) {
    const headers = { 'content-type': 'application/json' };
    const request = https.request(url, { agent, method: 'POST', headers });
    const [response] = await once(request.end(body && JSON.stringify(body)), 'response');
    const { socket, statusCode } = response, text = (await response.toArray()).join('');
    if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}: ${text}`);
    return { socket, answer: JSON.parse(text) };
}
async function authorityOf(url, fingerprint) {
    const agent = agentOf({ rejectUnauthorized: false });
    const { socket } = await post(agent, `${url}/v1/agent/challenge`);
    let at = socket.getPeerX509Certificate();
    while (at && sha256(at.raw) !== fingerprint) at = at.issuerCertificate;
    if (!at) throw new Error(`${url} is of another authority`);
    return at.toString();
}
async function enrol({ servers: [url], authority, secret }) {
    const agent = agentOf(authority !== 'public' && { ca: await authorityOf(url, authority) });
    const fresh = { algorithm: 'ed25519', seed: crypto.randomBytes(32).toString('base64') };
    const identity = load('identity') || save('identity', fresh), { public_key } = keyOf(identity);
    const { socket, answer: challenge } = await post(agent, `${url}/v1/agent/challenge`);
    const proof = prove(identity, socket, challenge, { use: 'enrol', about: sha256(secret) });
    const request = { secret, public_key, proof, facts, ...software };
    const { answer } = await post(agent, `${url}/v1/agent/enrol`, request);
    save('servers', { servers: answer.servers });
    say('enrolled', save('membership', { ...answer, servers: undefined, public_key }));
}

// Sections 1 and 7: each application is judged before it is acted on.
function refusalOf({ manifest, values, sealed, statement }) {
    if (manifest.digest !== `sha256:${sha256(manifest.text)}`) return 'digest_mismatch';
    const { format, needs = [] } = JSON.parse(manifest.text);
    const lacks = needs.some(({ ability }) => !software.abilities.includes(ability));
    if (lacks || values || sealed || statement) return 'needs_ability';
    return format === 1 ? undefined : 'format_unknown';
}
function accountOf(application) {
    const { name, serial, release_id, manifest } = application, code = refusalOf(application);
    const services = code ? [] : JSON.parse(manifest.text).services
        .map((service) => ({ name: service.name, image: service.image, state: 'running' }));
    const refusal = code && { code, class: 'change' };
    return { name, serial, release_id, state: code ? 'failed' : 'running', refusal, services };
}

// Sections 5 and 6: messages, and polling or the channel for them.
let heartbeat = 5000, isNew;
function up(seq, socket, challenge) {
    const { generation = 0, applications = [] } = load('desired').desired ?? {};
    const accounts = applications.map(accountOf); // "failed" is worse than "running"
    const state = accounts.map((one) => one.state).sort()[0] ?? 'none';
    const news = isNew && { facts, reported: { generation, state, applications: accounts } };
    isNew = false;
    if (!challenge) return { seq, generation, ...news };
    const { device_id, epoch } = load('membership'), { digest } = load('servers').servers;
    const proof = prove(load('identity'), socket, challenge, { use: 'hello', sub: device_id });
    const hello = { device_id, epoch, proof, instance, servers: digest, ...software };
    return { hello, seq, generation, ...news };
}
function take(down) {
    if (down.refused) throw Object.assign(new Error(down.refused.detail), down.refused);
    if (down.ack) say('acknowledged', down.ack);
    const parts = [...(down.heartbeat ?? '').matchAll(/(\d+)(ms|[smhd])/g)];
    const units = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
    heartbeat = parts.reduce((sum, [, n, unit]) => sum + n * units[unit], 0) || heartbeat;
    if (!(down.desired?.generation > (load('desired').desired?.generation ?? 0))) return;
    say('desired', save('desired', { desired: down.desired }).desired);
    isNew = true;
}
async function poll({ url }, ca) {
    for (const agent = agentOf({ ca }); ; await sleep(isNew ? 0 : heartbeat)) {
        const { socket, answer: challenge } = await post(agent, `${url}/v1/agent/challenge`);
        take((await post(agent, `${url}/v1/agent/sync`, up(1, socket, challenge))).answer);
    }
}
async function channel({ url }, ca) {
    const address = new URL('/v1/agent/channel', url.replace('http', 'ws'));
    const ws = new WebSocket(address, 'muster.1', { ca, perMessageDeflate: false });
    let socket, timer, seq = 0, acknowledged = 0;
    const send = (challenge) => ws.send(JSON.stringify(up(++seq, socket, challenge)));
    ws.on('upgrade', (response) => { socket = response.socket; });
    ws.on('close', (code) => say('closed', code) ?? (code === 4001 && process.exit(4)));
    for await (const [data] of on(ws, 'message', { close: ['close'] })) {
        const down = JSON.parse(data);
        clearTimeout(timer);
        take(down);
        acknowledged = down.ack || acknowledged;
        if (down.challenge) send(down.challenge);
        else if (acknowledged === seq) timer = setTimeout(send, isNew ? 0 : heartbeat);
    }
    clearTimeout(timer);
}
for (let pause = 0; verb === 'run'; await sleep(1000 * pause * (1 + Math.random()))) {
    const { servers: [server], authorities } = load('servers').servers;
    const ca = authorities?.length ? authorities : undefined;
    isNew = true; // what the last connection left unanswered is said again
    const error = await (argument ? poll : channel)(server, ca).catch((cause) => cause);
    if (error) say(error.class ? 'refused' : 'failed', { message: error.message, ...error });
    if (error?.class === 'never') process.exit(3);
    pause = error?.class === 'change' ? 3600 : error?.retry_after_s ?? 1;
}
if (verb === 'enrol') await enrol(JSON.parse(Buffer.from(argument.slice(8), 'base64url')));
