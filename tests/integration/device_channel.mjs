// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import WebSocket from 'ws';
import { DeviceKey, Report, ca, challenge, json, ownerToken } from '../support/client.mjs';

const MESSAGE_MAX = 512 * 1024;
const DEADLINE_MS = 10_000;
const report = new Report('device channel');
const owner = await ownerToken();

/** A new device with its access token. */
async function join(fleetId) {
    const key = new DeviceKey();
    const { token } = await json('POST', '/v1/tokens', { fleet_id: fleetId }, owner);
    const enrolled = await json('POST', '/v1/agent/enrol', key.enrolment(token, await challenge()));
    const assertion = key.assertion(enrolled.device_id, await challenge());
    return { id: enrolled.device_id, ...(await json('POST', '/v1/agent/token', assertion)) };
}

const soon = () => ({ signal: AbortSignal.timeout(DEADLINE_MS) });

function dial(device, token = device.access_token) {
    const headers = { Authorization: `Bearer ${token}` };
    return new WebSocket(`wss://127.0.0.1:${device.channel_port}/v1/agent/channel`, { ca, headers });
}

async function open(device) {
    const channel = dial(device);
    await once(channel, 'open', soon());
    return channel;
}

async function answer(channel) {
    const [data, isBinary] = await once(channel, 'message', soon());
    assert.equal(isBinary, false);
    return JSON.parse(data);
}

async function ends(channel, code) {
    const [got, reason] = await once(channel, 'close', soon());
    assert.equal(got, code, `closed with ${got} (${reason}), not ${code}`);
}

/** On a channel of its own, `send` something that ends it with `code`. */
async function endsWith(code, send) {
    const channel = await open(device);
    const end = ends(channel, code);
    send(channel);
    await end;
}

const fleet = await json('POST', '/v1/fleets', { name: 'sockets' }, owner);
const device = await join(fleet.id);

await report.step('a SyncUp is answered with its acknowledgement', async () => {
    const channel = await open(device);
    channel.send('{"seq":7}');
    const down = await answer(channel);
    assert.equal(down.ack, 7);
    assert.equal(down.heartbeat, device.heartbeat);
    channel.close(1000);
    await ends(channel, 1000);
});

await report.step('a message in fragments, with a ping between them, is one message', async () => {
    const channel = await open(device);
    const pong = once(channel, 'pong', soon());
    const down = answer(channel);
    channel.send('{"se', { fin: false });
    channel.ping('between');
    channel.send('q":', { fin: false });
    channel.send('8}', { fin: true });
    assert.equal(String((await pong)[0]), 'between');
    assert.equal((await down).ack, 8);
    channel.terminate();
});

await report.step('50 messages at once are answered in order', async () => {
    const channel = await open(device);
    const acks = [];
    const all = new Promise((resolve, reject) => {
        channel.on('close', (code) => reject(new Error(`closed with ${code} after ${acks}`)));
        channel.on('message', (data) => acks.push(JSON.parse(data).ack) === 50 && resolve());
    });
    const seqs = Array.from({ length: 50 }, (_, i) => 100 + i);
    for (const seq of seqs) channel.send(JSON.stringify({ seq }));
    await all;
    assert.deepEqual(acks, seqs);
    channel.terminate();
});

for (const [name, token, status] of [
    ['a wrong token', 'x.y.z', 401],
    ["an operator's token", owner, 403],
]) {
    await report.step(`${name} is refused with ${status}`, async () => {
        const [, response] = await once(dial(device, token), 'unexpected-response', soon());
        assert.equal(response.statusCode, status);
        assert.match(response.headers['content-type'], /^application\/problem\+json/);
        response.resume();
    });
}

await report.step('a message of the largest size is read whole', () =>
    endsWith(1008, (channel) => channel.send('x'.repeat(MESSAGE_MAX))));
await report.step('a larger one ends the channel with 1009', () =>
    endsWith(1009, (channel) => channel.send('x'.repeat(MESSAGE_MAX + 1))));
await report.step('fragments that are too large together end it with 1009', () =>
    endsWith(1009, (channel) => {
        channel.send('x'.repeat(MESSAGE_MAX), { fin: false });
        channel.send('x', { fin: true });
    }));
await report.step('a binary message ends it with 1003', () =>
    endsWith(1003, (channel) => channel.send(Buffer.from('{"seq":1}'))));
await report.step('a message that is no JSON ends it with 1008', () =>
    endsWith(1008, (channel) => channel.send('{"seq":')));
await report.step('a message out of bounds ends it with 1008', () =>
    endsWith(1008, (channel) => channel.send('{"seq":0}')));

await report.step('a newer agent is understood as far as it can be', async () => {
    const channel = await open(device);
    const down = answer(channel);
    channel.send(JSON.stringify({
        seq: 9,
        colour: 'red',
        reported: { version: 0, state: 'daydreaming', services: [{ name: 'web', mood: [{}] }] },
    }));
    assert.equal((await down).ack, 9);
    channel.terminate();
});

await report.step('a second channel of a device ends the first with 4001', async () => {
    const first = await open(device);
    const end = ends(first, 4001);
    const second = await open(device);
    await end;
    second.send('{"seq":200}');
    assert.equal((await answer(second)).ack, 200);
    second.terminate();
});

await report.step('a retired device is sent away with 4003 and not let in again', async () => {
    const retired = await join(fleet.id);
    const channel = await open(retired);
    const end = ends(channel, 4003);
    await json('DELETE', `/v1/devices/${retired.id}`, undefined, owner);
    await end;
    const [, response] = await once(dial(retired), 'unexpected-response', soon());
    assert.equal(response.statusCode, 401);
    response.resume();
});

await report.step('a server that stops says 1001', async () => {
    const channel = await open(device);
    const end = ends(channel, 1001);
    process.kill(Number(process.env.MUSTERD_PID), 'SIGTERM');
    await end;
});

process.exit(report.failed ? 1 : 0);
