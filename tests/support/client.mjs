// SPDX-License-Identifier: Apache-2.0
// What the tests written in JavaScript share: lines for scripts/test.sh, requests as they are
// told (also wrong ones), and a device by the words of docs/protocol.md, without any code of ours.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';

const { MUSTER_DIR, MUSTER_URL } = process.env;
export const ca = readFileSync(`${MUSTER_DIR}/server/ca.pem`);
const agent = new https.Agent({ ca, keepAlive: true, maxSockets: 1 });

/** The word behind `name` in what `musterd init` printed. */
export function credential(name) {
    const line = readFileSync(`${MUSTER_DIR}/credentials`, 'utf8')
        .split('\n')
        .find((text) => text.startsWith(`${name} `));
    return line.split(/\s+/)[1];
}

/** Runs steps and prints a line for each; `failed` counts. */
export class Report {
    failed = 0;
    constructor(suite) {
        this.suite = suite;
    }

    async step(name, run) {
        try {
            const result = await run();
            console.log(`ok ${this.suite}: ${name}`);
            return result;
        } catch (error) {
            this.failed++;
            console.log(`not ok ${this.suite}: ${name}`);
            console.log(String(error.message).replace(/^/gm, '# '));
            return undefined;
        }
    }
}

/** One request; `body` is sent as it is. Resolves to {status, headers, text}. */
export function request(method, path, { headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
        const call = https.request(new URL(path, MUSTER_URL), { method, headers, agent, timeout: 20_000 });
        call.on('timeout', () => call.destroy(new Error(`no answer to ${method} ${path}`)));
        call.on('error', reject);
        call.on('response', async (answer) => {
            answer.setEncoding('utf8');
            let text = '';
            for await (const part of answer) text += part;
            resolve({ status: answer.statusCode, headers: answer.headers, text });
        });
        if (body !== undefined) call.setHeader('Content-Length', Buffer.byteLength(body));
        call.end(body);
    });
}

/** A good call, in short: the answer's JSON, or an exception. */
export async function json(method, path, body, token) {
    const headers = body ? { 'Content-Type': 'application/json' } : {};
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await request(method, path, { headers, body: body && JSON.stringify(body) });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text ? JSON.parse(answer.text) : undefined;
}

/** A device's key and what is signed with it. */
export class DeviceKey {
    #pair = generateKeyPairSync('ed25519');

    get public() {
        return this.#pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
    }

    jws(claims) {
        const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const signed = `${part({ alg: 'EdDSA', typ: 'JWT' })}.${part(claims)}`;
        return `${signed}.${sign(null, Buffer.from(signed), this.#pair.privateKey).toString('base64url')}`;
    }

    /** The body that joins with the token. */
    enrolment(token, { nonce, audience }, more = {}) {
        const { secret } = tokenParts(token);
        const about = createHash('sha256').update(secret).digest('hex');
        const proof = this.jws({ aud: audience, use: 'enrol', nonce, about });
        return { secret, public_key: this.public, proof, ...more };
    }

    /** The hello of the device that joined so; `claims` are other ones of its proof, `more` other fields. */
    hello({ device_id, epoch }, { nonce, audience }, claims = {}, more = {}) {
        const proof = this.jws({ aud: audience, use: 'hello', nonce, sub: device_id, ...claims });
        return { device_id, epoch, proof, agent_version: '0.1.0', abilities: ['services'], ...more };
    }
}

/** What is in the text of an enrolment token. */
export const tokenParts = (token) => JSON.parse(Buffer.from(token.replace(/^muster2\./, ''), 'base64url'));

export const challenge = () => json('POST', '/v1/agent/challenge');

/** The owner's access token. */
export async function ownerToken() {
    const login = { org: 'demo', name: 'ada', password: credential('password') };
    return (await json('POST', '/v1/login', login)).access_token;
}
