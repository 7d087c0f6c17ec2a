// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import WebSocket from 'ws';
import { DeviceKey, Report, ca, challenge, json, ownerToken } from '../support/client.mjs';

const UP_MAX = 512 * 1024;
const FIRST_MAX = 128 * 1024;
const HELLO_WITHIN_MS = 20_000;
const DEADLINE_MS = 10_000;
const PROTOCOL = 'muster.1';
const report = new Report('device channel');
const owner = await ownerToken();
const { port } = new URL(process.env.MUSTER_URL);

const soon = (ms = DEADLINE_MS) => ({ signal: AbortSignal.timeout(ms) });

/** A device: its key, and what it was told when it joined. */
class Device {
    key = new DeviceKey();

    static async join(token) {
        const device = new Device();
        const joining = device.key.enrolment(token, await challenge());
        device.enrolled = await json('POST', '/v1/agent/enrol', joining);
        device.id = device.enrolled.device_id;
        return device;
    }

    hello(asked, claims, more) {
        return this.key.hello(this.enrolled, asked, claims, more);
    }
}

/** A channel whose messages are kept until somebody asks for them. */
class Channel {
    #messages = [];
    #waiting = [];

    static async open() {
        const channel = new Channel();
        channel.socket = new WebSocket(`wss://127.0.0.1:${port}/v1/agent/channel`, PROTOCOL, { ca });
        channel.end = new Promise((resolve) => {
            channel.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
        });
        channel.socket.on('error', () => {});
        channel.socket.on('message', (data, isBinary) => {
            const message = isBinary ? undefined : JSON.parse(data);
            const next = channel.#waiting.shift();
            if (next) next(message);
            else channel.#messages.push(message);
        });
        await once(channel.socket, 'open', soon());
        channel.binding = channel.socket._socket
            .exportKeyingMaterial(32, 'EXPORTER-Channel-Binding')
            .toString('base64');
        channel.first = await channel.take();
        channel.challenge = channel.first.challenge;
        return channel;
    }

    take() {
        if (this.#messages.length) return Promise.resolve(this.#messages.shift());
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => reject(new Error('no message in time')), DEADLINE_MS);
            this.#waiting.push((message) => {
                clearTimeout(timer);
                resolve(message);
            });
        });
    }

    say(message) {
        this.socket.send(JSON.stringify(message));
    }

    async ask(message) {
        this.say(message);
        return this.take();
    }

    async ends(code) {
        const end = await this.end;
        assert.equal(end.code, code, `closed with ${end.code} (${end.reason}), not ${code}`);
    }

    /** The channel was sent away with this refusal. */
    async refused(code, klass) {
        const { refused, desired, servers } = await this.take();
        assert.equal(refused?.code, code);
        assert.equal(refused.class, klass);
        assert.ok(!desired && !servers);
        await this.ends(4003);
    }
}

/** A channel on which the device is known. */
async function enter(device) {
    const channel = await Channel.open();
    const hello = device.hello(channel.challenge, { binding: channel.binding });
    channel.down = await channel.ask({ hello, seq: 1 });
    assert.equal(channel.down.ack, 1, JSON.stringify(channel.down));
    return channel;
}

/** On a channel of its own, `send` something that ends it with `code`. */
async function endsWith(code, send) {
    const channel = await enter(device);
    send(channel.socket);
    await channel.ends(code);
}

const fleet = await json('POST', '/v1/fleets', { name: 'sockets' }, owner);
const { token } = await json('POST', '/v1/tokens', { fleet_id: fleet.id, uses_max: 20 }, owner);
const device = await Device.join(token);

await report.step('a challenge asks for the binding of its connection', async () => {
    const channel = await Channel.open();
    assert.equal(channel.socket.protocol, PROTOCOL);
    assert.equal(channel.challenge.audience, device.enrolled.installation);
    assert.equal(channel.challenge.binding, 'tls-exporter');
    assert.ok(!channel.first.ack && !channel.first.desired && !channel.first.servers);
    assert.equal((await challenge()).binding, 'none');
    channel.socket.terminate();
});

await report.step('a hello is answered with its acknowledgement, and so is what follows', async () => {
    const channel = await enter(device);
    assert.equal(channel.down.heartbeat, device.enrolled.heartbeat);
    assert.equal((await channel.ask({ seq: 2 })).ack, 2);
    channel.socket.close(1000);
    await channel.ends(1000);
});

await report.step('whoever speaks another protocol gets no channel', async () => {
    for (const protocol of [[], ['muster.0']]) {
        const socket = new WebSocket(`wss://127.0.0.1:${port}/v1/agent/channel`, protocol, { ca });
        socket.on('error', () => {});
        const [, response] = await once(socket, 'unexpected-response', soon());
        assert.equal(response.statusCode, 400);
        response.resume();
    }
});

await report.step('20 unknown fields at every depth are passed over', async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`new_${i}`, { deep: [i] }]));
    const channel = await Channel.open();
    const hello = device.hello(channel.challenge, { binding: channel.binding }, many);
    const facts = { hostname: 'till', ...many };
    const reported = {
        generation: 1,
        state: 'levitating',
        applications: [{ name: 'shop', state: 'pondering', services: [{ name: 'web', state: 'new', ...many }], ...many }],
        ...many,
    };
    const down = await channel.ask({ hello, seq: 1, stamp: { ...many }, facts, reported, ...many });
    assert.equal(down.ack, 1);
    const shown = await json('GET', `/v1/devices/${device.id}`, undefined, owner);
    assert.equal(shown.state, 'unknown');
    assert.equal(shown.facts.hostname, 'till');
    assert.equal(shown.applications[0].services[0].state, 'unknown');
    channel.socket.terminate();
});

const stranger = new DeviceKey();
const ghost = { device_id: 'device_00000000000000000000000000', epoch: 1 };
const wrong = (claims, more) => (channel) =>
    device.hello(channel.challenge, { binding: channel.binding, ...claims }, more);
for (const [name, code, klass, hello] of [
    ['a made-up challenge', 'nonce_old', 'retry', wrong({ nonce: 'mine' })],
    ['no binding', 'binding_missing', 'change', wrong({ binding: undefined })],
    ['another binding', 'proof_invalid', 'change', wrong({ binding: Buffer.alloc(32, 1).toString('base64') })],
    ['another audience', 'proof_invalid', 'change', wrong({ aud: 'installation_00000000000000000000000000' })],
    ['a proof for another use', 'proof_invalid', 'change', wrong({ use: 'enrol' })],
    ['a proof about a key that is not offered', 'proof_invalid', 'change', wrong({ about: 'x' })],
    ['another claim', 'proof_invalid', 'change', wrong({ colour: 'red' })],
    ['a proof that is none', 'proof_invalid', 'change', wrong({}, { proof: 'x.y.z' })],
    ['another epoch', 'epoch_old', 'never', wrong({}, { epoch: 7 })],
    [
        'the key of another',
        'proof_invalid',
        'change',
        (channel) => stranger.hello(device.enrolled, channel.challenge, { binding: channel.binding }),
    ],
    [
        'a device that is not here',
        'device_unknown',
        'change',
        (channel) => stranger.hello(ghost, channel.challenge, { binding: channel.binding }),
    ],
    [
        'everything wrong',
        'proof_invalid',
        'change',
        () => ({ ...ghost, proof: '..', agent_version: 'x', instance: '0'.repeat(32), servers: 'z' }),
    ],
])
    await report.step(`a hello with ${name} is refused as ${code}`, async () => {
        const channel = await Channel.open();
        channel.say({ hello: hello(channel), seq: 1 });
        await channel.refused(code, klass);
    });

await report.step('what was signed for one connection is worth nothing on another', async () => {
    const victim = await Channel.open();
    const thief = await Channel.open();
    const stolen = device.hello(victim.challenge, { binding: victim.binding });
    thief.say({ hello: stolen, seq: 1 });
    await thief.refused('nonce_old', 'retry');
    // A server in the middle hands the thief's challenge to the device, which signs what it sees.
    const middle = await Channel.open();
    middle.say({ hello: device.hello(middle.challenge, { binding: victim.binding }), seq: 1 });
    await middle.refused('proof_invalid', 'change');
    assert.equal((await victim.ask({ hello: stolen, seq: 1 })).ack, 1);
    victim.socket.terminate();
});

await report.step('a challenge of a poll is none for a channel, and the other way round', async () => {
    const channel = await Channel.open();
    const poll = await json('POST', '/v1/agent/sync', { hello: device.hello(channel.challenge), seq: 1 });
    assert.equal(poll.refused.code, 'nonce_old');
    channel.say({ hello: device.hello(await challenge(), { binding: channel.binding }), seq: 1 });
    await channel.refused('nonce_old', 'retry');
});

await report.step('a poll is answered like a channel', async () => {
    const down = await json('POST', '/v1/agent/sync', { hello: device.hello(await challenge()), seq: 3 });
    assert.equal(down.ack, 3);
    assert.equal(down.servers.digest, device.enrolled.servers.digest);
});

const first = (name, code, send) =>
    report.step(`${name} as the first message ends the channel with ${code}`, async () => {
        const channel = await Channel.open();
        send(channel.socket, channel);
        await channel.ends(code);
    });
await first('a binary message', 1003, (socket) => socket.send(Buffer.from('{"seq":1}')));
await first('a message without a hello', 1008, (socket) => socket.send('{"seq":1}'));
await first('no JSON', 1008, (socket) => socket.send('{"seq":'));
await first('one byte too many', 1009, (socket) => socket.send('x'.repeat(FIRST_MAX + 1)));
await first('a hello that is no record', 1008, (socket) => socket.send('{"hello":7,"seq":1}'));
await first('a proof that is too long', 1008, (socket, channel) => {
    const hello = { ...device.hello(channel.challenge), proof: 'x'.repeat(3000) };
    socket.send(JSON.stringify({ hello, seq: 1 }));
});

await report.step('silence instead of a hello ends the channel', async () => {
    const channel = await Channel.open();
    const began = Date.now();
    await channel.end;
    const silent = Date.now() - began;
    assert.ok(silent > HELLO_WITHIN_MS / 2 && silent < HELLO_WITHIN_MS + DEADLINE_MS, `after ${silent} ms`);
});

await report.step('a message in fragments, with a ping between them, is one message', async () => {
    const channel = await enter(device);
    const pong = once(channel.socket, 'pong', soon());
    channel.socket.send('{"se', { fin: false });
    channel.socket.ping('between');
    channel.socket.send('q":', { fin: false });
    channel.socket.send('8}', { fin: true });
    assert.equal(String((await pong)[0]), 'between');
    assert.equal((await channel.take()).ack, 8);
    channel.socket.terminate();
});

await report.step('50 messages at once are answered in order', async () => {
    const channel = await enter(device);
    const seqs = Array.from({ length: 50 }, (_, i) => 100 + i);
    for (const seq of seqs) channel.say({ seq });
    for (const seq of seqs) assert.equal((await channel.take()).ack, seq);
    channel.socket.terminate();
});

await report.step('a message of the largest size is read whole', () =>
    endsWith(1008, (socket) => socket.send('x'.repeat(UP_MAX))));
await report.step('a larger one ends the channel with 1009', () =>
    endsWith(1009, (socket) => socket.send('x'.repeat(UP_MAX + 1))));
await report.step('fragments that are too large together end it with 1009', () =>
    endsWith(1009, (socket) => {
        socket.send('x'.repeat(UP_MAX), { fin: false });
        socket.send('x', { fin: true });
    }));
await report.step('a binary message ends it with 1003', () =>
    endsWith(1003, (socket) => socket.send(Buffer.from('{"seq":1}'))));
await report.step('a message that is no JSON ends it with 1008', () =>
    endsWith(1008, (socket) => socket.send('{"seq":')));
await report.step('a message out of bounds ends it with 1008', () =>
    endsWith(1008, (socket) => socket.send('{"seq":0}')));
await report.step('a message without its number ends it with 1008', () =>
    endsWith(1008, (socket) => socket.send('{"generation":1}')));

await report.step('a second channel of a device ends the first with 4001', async () => {
    const before = await enter(device);
    const after = await enter(device);
    await before.ends(4001);
    assert.equal((await after.ask({ seq: 200 })).ack, 200);
    after.socket.terminate();
});

await report.step('a manifest of a megabyte is pushed to whoever is there, as it was published', async () => {
    const image = `registry.example/web@sha256:${'a'.repeat(64)}`;
    const environment = { A: 'x'.repeat(4000), B: 'y'.repeat(4000) };
    const services = Array.from({ length: 100 }, (_, i) => ({ name: `s${i}`, image, environment }));
    const release = await json('POST', '/v1/releases', { application: 'big', version: '1.0.0', manifest: { services } }, owner);
    const channel = await enter(device);
    await json('POST', `/v1/fleets/${fleet.id}/deploy`, { release_id: release.id }, owner);
    const { ack, desired } = await channel.take();
    assert.equal(ack, 0);
    const [application] = desired.applications;
    assert.equal(application.manifest.digest, release.digest);
    assert.equal(JSON.parse(application.manifest.text).services.length, 100);
    const again = await channel.ask({ seq: 2, generation: desired.generation });
    assert.equal(again.desired, undefined);
    channel.socket.terminate();
});

/** An operator's call beside others of the same moment; what it answers does not matter. */
const many = new https.Agent({ ca, keepAlive: true, maxSockets: 16 });
async function beside(method, path, body) {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${owner}` };
    const call = https.request(new URL(path, process.env.MUSTER_URL), { method, headers, agent: many });
    const [answer] = await once(call.end(JSON.stringify(body)), 'response', soon());
    await answer.resume().toArray();
}

await report.step('a generation is one content, whatever is moved and deployed at once', async () => {
    const fleets = [fleet, await json('POST', '/v1/fleets', { name: 'other' }, owner)];
    const image = `registry.example/web@sha256:${'b'.repeat(64)}`;
    const manifest = { services: [{ name: 'web', image }] };
    const releases = [];
    for (const application of ['one', 'two'])
        releases.push(await json('POST', '/v1/releases', { application, version: '1.0.0', manifest }, owner));
    const crew = [], torn = [];
    for (let i = 0; i < 12; i++) {
        const member = { device: await Device.join(token), held: 0, told: new Map() };
        member.channel = await enter(member.device);
        member.channel.socket.on('message', (data) => {
            const { desired } = JSON.parse(data);
            if (!desired) return;
            const content = desired.applications[0]?.release_id;
            if ((member.told.get(desired.generation) ?? content) !== content) torn.push(desired.generation);
            member.told.set(desired.generation, content);
            member.held = Math.max(member.held, desired.generation);
        });
        crew.push(member);
    }
    for (let i = 0; i < 120; i++)
        await Promise.all([
            ...crew.map(({ device: { id } }, j) =>
                beside('PATCH', `/v1/devices/${id}`, { fleet_id: fleets[(i + j) % 2].id })),
            ...fleets.map(({ id }, j) =>
                beside('POST', `/v1/fleets/${id}/deploy`, { release_id: releases[(i + j) % 2].id })),
        ]);
    for (const { device: { id }, channel, held, told } of crew) {
        channel.socket.terminate();
        const shown = await json('GET', `/v1/devices/${id}`, undefined, owner);
        assert.ok(held <= shown.generation);
        if (held === shown.generation) assert.equal(told.get(held), shown.desired_release_id);
    }
    many.destroy();
    assert.deepEqual(torn, []);
});

await report.step('a device that is asked to replaces its key, and its old one is dead', async () => {
    const rotating = await Device.join(token);
    const channel = await enter(rotating);
    await json('POST', `/v1/devices/${rotating.id}/rotate-key`, undefined, owner);
    assert.equal((await channel.take()).rotate_key, true);
    const next = new DeviceKey();
    const fresh = await Channel.open();
    const { nonce, audience } = fresh.challenge;
    const claims = { binding: fresh.binding, about: next.public };
    const proof = next.jws({ aud: audience, use: 'rotate', nonce, sub: rotating.id, ...claims });
    const hello = rotating.hello(fresh.challenge, claims, { next_key: { public_key: next.public, proof } });
    const down = await fresh.ask({ hello, seq: 1 });
    assert.equal(down.key, next.public);
    assert.equal(down.rotate_key, false);
    const old = await Channel.open();
    old.say({ hello: rotating.hello(old.challenge, { binding: old.binding }), seq: 1 });
    await old.refused('proof_invalid', 'change');
    rotating.key = next;
    (await enter(rotating)).socket.terminate();
});

await report.step('a device that joined anew is told so on the channel of its former life', async () => {
    const anew = await Device.join(token);
    const channel = await enter(anew);
    const other = await json('POST', '/v1/tokens', { fleet_id: fleet.id }, owner);
    const enrolled = await json('POST', '/v1/agent/enrol', anew.key.enrolment(other.token, await challenge()));
    assert.equal(enrolled.epoch, 2);
    await channel.refused('epoch_old', 'never');
});

await report.step('a retired device is sent away and not let in again', async () => {
    const retired = await Device.join(token);
    const channel = await enter(retired);
    await json('DELETE', `/v1/devices/${retired.id}`, undefined, owner);
    await channel.refused('device_retired', 'never');
    const again = await Channel.open();
    again.say({ hello: retired.hello(again.challenge, { binding: again.binding }), seq: 1 });
    await again.refused('device_retired', 'never');
});

await report.step('a server that stops says 1001', async () => {
    const channel = await enter(device);
    process.kill(Number(process.env.MUSTERD_PID), 'SIGTERM');
    await channel.ends(1001);
});

process.exit(report.failed ? 1 : 0);
