// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { DeviceKey, Report, challenge, credential, json, request } from '../support/client.mjs';
import { Client } from './client.mjs';
import { Document } from './document.mjs';
import { sweep } from './sweep.mjs';

const PASSWORD = 'a long enough password';
const IMAGE = `registry.example/web@sha256:${'a'.repeat(64)}`;
const MANIFEST = {
    services: [
        { name: 'api', image: IMAGE, environment: { MODE: 'test' }, healthcheck: { test: ['CMD', 'true'], retries: 5 } },
        {
            name: 'web',
            image: IMAGE,
            command: ['serve', '--all'],
            ports: [{ host: 8080, container: 80 }],
            volumes: [{ source: 'data', target: '/data', read_only: true }],
            depends_on: [{ service: 'api', condition: 'healthy' }],
            restart: 'on-failure',
        },
    ],
};

const report = new Report('contract');
const document = new Document(await json('GET', '/openapi.json'));
const client = new Client(document, report);
await report.step('each component is a schema', () => assert.ok(document.compile() > 0));

// Everything good, in the order of a life. `owner` is who calls unless it is said.
const credentials = { org: 'demo', name: 'ada', password: credential('password') };
const session = await client.accepted('session_login', 'the owner', { body: credentials });
const renewed = await client.accepted('session_refresh', 'the session goes on', {
    body: { refresh_token: session.refresh_token },
});
const owner = renewed.access_token;
const ok = (id, name, call) => client.accepted(id, name, { token: owner, ...call });
const no = (id, name, call, status, wanted) => client.refused(id, name, { token: owner, ...call }, status, wanted);

const org = await ok('org_show', 'the organisation');
await ok('org_update', 'the same name', { body: { name: org.name } });
const tokens = { owner };
const operators = {};
for (const role of ['viewer', 'operator']) {
    const body = { name: role, role, password: PASSWORD };
    operators[role] = await ok('operator_create', `a ${role}`, { body });
    const login = { name: role, password: PASSWORD };
    tokens[role] = (await client.accepted('session_login', `the ${role}`, { body: login })).access_token;
}
const ofViewer = { args: { operator_id: operators.viewer.id } };
await ok('operator_show', 'the viewer', ofViewer);
await ok('operator_update', 'a password', { ...ofViewer, body: { password: `${PASSWORD} more` } });
await client.refused('operator_list', 'a password that was changed', { token: tokens.viewer }, 401);
tokens.viewer = (
    await client.accepted('session_login', 'the viewer, by the new password', {
        body: { ...credentials, name: 'viewer', password: `${PASSWORD} more` },
    })
).access_token;
await ok('operator_list', 'all', { token: tokens.viewer });

const fleet = await ok('fleet_create', 'a fleet', { body: { name: 'shop-floor' } });
const spare = await ok('fleet_create', 'another', { body: { name: 'spare' } });
const ofFleet = { args: { fleet_id: fleet.id } };
const ofSpare = { args: { fleet_id: spare.id } };
await ok('fleet_show', 'by id', ofFleet);
await ok('fleet_update', 'its own name', { ...ofFleet, body: { name: 'shop-floor' } });
await ok('fleet_update', 'as plain JSON', { ...ofFleet, body: {}, type: 'application/json' });

const release = await ok('release_create', 'two services', {
    body: { application: 'shop', version: '1.0.0', manifest: MANIFEST },
});
const ofRelease = { args: { release_id: release.id } };
await ok('release_show', 'by id', ofRelease);
await ok('release_list', 'by reference', { query: { ref: 'shop@1.0.0' } });
await report.step('release_create: what is left out has its default', () => {
    const [api, web] = release.manifest.services;
    assert.equal(api.restart, 'always');
    assert.equal(api.healthcheck.interval, '30s');
    assert.equal(web.ports[0].protocol, 'tcp');
});

const token = await ok('token_create', 'for two devices', { body: { fleet_id: fleet.id, uses_max: 2, ttl: '10m' } });
const unused = await ok('token_create', 'to be revoked', { body: { fleet_id: fleet.id } });
const ofToken = { args: { token_id: token.id } };
await report.step('token_show: the text of a token is not shown again', async () => {
    const shown = await ok('token_show', 'without its secret', ofToken);
    assert.equal(shown.token, undefined);
});
await ok('token_list', 'of a fleet', { query: { fleet_id: fleet.id } });

// A device, without a line of the agent's code.
const key = new DeviceKey();
const fresh = () => client.accepted('agent_challenge', 'something fresh');
const facts = { hostname: 'till', os: 'Debian', cpus: 2, memory_bytes: 2 ** 31 };
const joining = key.enrolment(token.token, await fresh(), { name: 'till', facts });
const enrolled = await client.accepted('agent_enrol', 'a device', { body: joining });
await report.step('agent_enrol: the same key again is the same device', async () => {
    const again = key.enrolment(token.token, await challenge(), { name: 'other' });
    assert.deepEqual(await client.accepted('agent_enrol', 'again', { body: again }), enrolled);
});
const ofDevice = { args: { device_id: enrolled.device_id } };

await ok('device_show', 'that has never synced', ofDevice);
const deployed = await ok('fleet_deploy', 'a release', { ...ofFleet, body: { release_id: release.id } });
await report.step('fleet_deploy: the fleet wants the release', () => assert.equal(deployed.release_id, release.id));
const syncUp = {
    seq: 1,
    generation: 0,
    facts,
    telemetry: { cpu_percent: 12.5, load1: 0.25, memory_used_bytes: 1024, uptime_s: 60, containers: 2 },
    reported: {
        generation: 0,
        state: 'pulling',
        applications: [
            { name: 'shop', state: 'pulling', services: [{ name: 'web', state: 'missing', health: 'none', exit_code: -1 }] },
        ],
    },
};
const said = async (body, claims) => ({ hello: key.hello(enrolled, await challenge(), claims), ...body });
const sync = async (name, body) => client.accepted('agent_sync', name, { body: await said(body) });
const down = await sync('all of it', syncUp);
await report.step('agent_sync: the answer acknowledges and has what is desired', () => {
    assert.equal(down.ack, 1);
    const [application] = down.desired.applications;
    assert.equal(application.release_id, release.id);
    assert.equal(application.manifest.digest, release.digest);
    assert.deepEqual(JSON.parse(application.manifest.text), release.manifest);
});
await report.step('agent_sync: what the device has is not sent again', async () => {
    const next = await sync('the least', { seq: 2, generation: down.desired.generation });
    assert.equal(next.desired, undefined);
});
await report.step('agent_sync: a newer device may have fields and words of its own', async () => {
    const next = await sync('with some', { seq: 3, colour: 'red', reported: { state: 'levitating', mood: { a: 1 } } });
    assert.equal(next.ack, 3);
});
await ok('device_show', 'that has synced', ofDevice);
await ok('device_list', 'of a fleet', { query: { fleet_id: fleet.id, name: 'till' } });
await ok('device_update', 'labels', { ...ofDevice, body: { labels: { site: 'hall-3' } } });
await report.step('device_list: those that meet a selector', async () => {
    const list = async (selector) => (await ok('device_list', selector, { query: { selector } })).items;
    const [till, ...others] = await list('site in (hall-3, hall-4), !role,seen<1h');
    assert.deepEqual([till.name, others], ['till', []]);
    assert.deepEqual(await list('site!="hall-3"'), []);
});
await no('device_list', 'what is no selector', { query: { selector: 'site=a b' } }, 422, {
    pointer: '/selector',
    undocumented: true,
});
await report.step('device_update: of the labels only those that are named change', async () => {
    const change = async (labels) => (await ok('device_update', JSON.stringify(labels), { ...ofDevice, body: { labels } })).labels;
    assert.deepEqual(await change({ row: '7' }), { site: 'hall-3', row: '7' });
    assert.deepEqual(await change({ row: null }), { site: 'hall-3' });
});
await ok('device_rotate_key', 'a new key is wanted', ofDevice);
await ok('device_update', 'without labels', { ...ofDevice, body: { labels: null } });
await ok('telemetry_show', 'the latest', ofDevice);
await ok('audit_list', 'the newest', { query: { limit: '5', descending: 'true' } });
const { checkpoint } = await ok('audit_checkpoint', 'the end of the journal');
await report.step('audit_export: the lines prove themselves up to what is signed', async () => {
    const head = JSON.parse(Buffer.from(checkpoint.split('.')[1], 'base64url'));
    let number = 0; // of the last line, of either class
    let last = []; // number and hash of the last audit entry: events are not in the chain
    while (number < head.number) {
        const page = await ok('audit_export', 'a part', { query: { after: `${number}`, limit: '7' } });
        for (const line of page.items.filter((each) => each.number <= head.number)) {
            const entry = JSON.parse(line.entry);
            assert.equal(createHash('sha256').update(line.entry).digest('hex'), line.hash);
            const isAudit = line.class === 'audit';
            assert.deepEqual([entry.number, entry.class], [number + 1, line.class]);
            assert.equal(entry.previous, isAudit ? last[1] : undefined);
            if (isAudit) last = [line.number, line.hash];
            number = line.number;
        }
    }
    assert.deepEqual(last, [head.audit_number, head.audit_hash]);
});
await report.step('audit_checkpoint: it is signed by the key that it names', () => {
    const [header, claims, signature] = checkpoint.split('.');
    const x = Buffer.from(JSON.parse(Buffer.from(claims, 'base64url')).public_key, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    assert.ok(verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')));
});

const past = await ok('event_follow', 'what there is', { query: { follow: 'false' } });
await report.step('event_follow: what there is is the journal, and its end is told', async () => {
    const last = past.pop();
    assert.deepEqual([last.event, last.id, last.data], ['end', `${past.length}`, past.length]);
    assert.deepEqual(past.map(({ id }) => Number(id)), past.map((_, at) => at + 1));
    const page = await ok('audit_list', 'the same', { query: { limit: '1000' } });
    const audit = past.map(({ data }) => data).filter((entry) => entry.class === 'audit');
    assert.deepEqual(audit, page.items.slice(0, audit.length).map(({ hash, ...entry }) => entry));
});
await report.step('event_follow: who comes back goes on where it was', async () => {
    const query = { follow: 'false', action: 'fleet', class: 'audit', after: '1' };
    const all = await ok('event_follow', 'of fleets', { query });
    assert.ok(all.length > 2 && all.slice(0, -1).every(({ data }) => data.action.startsWith('fleet.')));
    const header = { 'Last-Event-ID': all[0].id };
    assert.deepEqual(await ok('event_follow', 'behind the first', { query, header }), all.slice(1));
});
await no('event_follow', 'an id that is none', { header: { 'Last-Event-ID': 'x' } }, 422, {
    pointer: '/Last-Event-ID',
    undocumented: true,
});
await no('event_follow', 'an entry that is not there yet', { query: { after: '999999999' } }, 409, { code: 'state' });

for (const id of ['fleet_list', 'audit_list', 'operator_list'])
    await report.step(`${id}: pages of one are the list`, async () => {
        const all = await ok(id, 'all', {});
        const pages = [];
        for (let after; pages.length <= all.items.length; ) {
            const page = await ok(id, 'a page', { query: { limit: '1', ...(after && { after }) } });
            pages.push(...page.items);
            if (!page.next) break;
            after = page.next;
        }
        assert.deepEqual(pages, all.items);
    });

// Everything bad that the document tells; nothing of it changes anything.
await sweep(
    client,
    {
        agent_challenge: {},
        agent_enrol: { body: key.enrolment(token.token, await challenge(), { name: 'till' }) },
        agent_sync: { body: await said(syncUp) },
        audit_list: { token: owner },
        audit_export: { token: owner },
        audit_checkpoint: { token: owner },
        event_follow: { token: owner, query: { follow: 'false' } },
        device_list: { token: owner },
        device_show: { token: owner, ...ofDevice },
        device_update: { token: owner, ...ofDevice, body: { name: 'till' } },
        device_delete: { token: owner, ...ofDevice },
        device_rotate_key: { token: owner, ...ofDevice },
        telemetry_show: { token: owner, ...ofDevice },
        fleet_list: { token: owner },
        fleet_create: { token: owner, body: { name: 'third' } },
        fleet_show: { token: owner, ...ofSpare },
        fleet_update: { token: owner, ...ofSpare, body: { name: 'spare' } },
        fleet_delete: { token: owner, ...ofSpare },
        fleet_deploy: { token: owner, ...ofSpare, body: { release_id: release.id } },
        session_login: { body: credentials },
        session_logout: { token: owner },
        session_refresh: { body: { refresh_token: renewed.refresh_token } },
        operator_list: { token: owner },
        operator_create: { token: owner, body: { name: 'third', password: PASSWORD } },
        operator_show: { token: owner, ...ofViewer },
        operator_update: { token: owner, ...ofViewer, body: { role: 'viewer' } },
        operator_delete: { token: owner, ...ofViewer },
        org_show: { token: owner },
        org_update: { token: owner, body: { name: org.name } },
        release_list: { token: owner },
        release_create: { token: owner, body: { application: 'shop', version: '2.0.0', manifest: MANIFEST } },
        release_show: { token: owner, ...ofRelease },
        token_list: { token: owner },
        token_create: { token: owner, body: { fleet_id: fleet.id } },
        token_show: { token: owner, ...ofToken },
        token_delete: { token: owner, ...ofToken },
    },
    tokens,
);

// What only the state of things makes bad.
const exists = { code: 'exists' };
const absent = (prefix) => `${prefix}_${'0'.repeat(26)}`;
await no('fleet_create', 'a name that is taken', { body: { name: 'spare' } }, 409, exists);
await no('fleet_update', 'a name that is taken', { ...ofSpare, body: { name: 'shop-floor' } }, 409, exists);
await no('fleet_delete', 'a fleet with devices', ofFleet, 409, { code: 'state' });
await no('fleet_deploy', 'an unknown release', { ...ofFleet, body: { release_id: absent('release') } }, 422, {
    pointer: '/release_id',
    undocumented: true,
});
await no('operator_create', 'a name that is taken', { body: { name: 'viewer', password: PASSWORD } }, 409, exists);
await no('operator_delete', 'oneself', { args: { operator_id: session.operator_id } }, 409, { code: 'state' });
await no('release_create', 'a version that is taken', {
    body: { application: 'shop', version: '1.0.0', manifest: MANIFEST },
}, 409, exists);
await no('release_create', 'a service that waits for none', {
    body: {
        application: 'shop',
        version: '3.0.0',
        manifest: { services: [{ name: 'web', image: IMAGE, depends_on: [{ service: 'db' }] }] },
    },
}, 422, { undocumented: true });
await no('release_create', 'an image by tag', {
    body: { application: 'shop', version: '3.0.0', manifest: { services: [{ name: 'web', image: 'web:latest' }] } },
}, 422, { pointer: '/manifest/services/0/image' });
await no('token_create', 'an unknown fleet', { body: { fleet_id: absent('fleet') } }, 422, {
    pointer: '/fleet_id',
    undocumented: true,
});
await no('device_update', 'an unknown fleet', { ...ofDevice, body: { fleet_id: absent('fleet') } }, 422, {
    pointer: '/fleet_id',
    undocumented: true,
});
await client.refused('session_login', 'a wrong password', { body: { ...credentials, password: 'guess' } }, 401);
await client.refused('session_login', 'an unknown name', { body: { ...credentials, name: 'eve' } }, 401);

const stranger = new DeviceKey();
const enrol = (name, body) => client.refused('agent_enrol', name, { body }, 401);
const { audience } = await challenge();
await enrol('a nonce that is not ours', stranger.enrolment(token.token, { nonce: 'mine', audience }));
await enrol('a secret that is none', { ...stranger.enrolment(token.token, await challenge()), secret: 'x' });
await enrol('the key of another', {
    ...stranger.enrolment(token.token, await challenge()),
    public_key: new DeviceKey().public,
});
const unknown = { device_id: absent('device'), epoch: 1 };
for (const [name, code, hello] of [
    ['by another key', 'proof_invalid', stranger.hello(enrolled, await challenge())],
    ['of a device that is none', 'device_unknown', stranger.hello(unknown, await challenge())],
    ['of another enrolment', 'epoch_old', key.hello({ ...enrolled, epoch: 9 }, await challenge())],
])
    await report.step(`agent_sync: a hello ${name} is refused in the answer`, async () => {
        const answer = await client.accepted('agent_sync', name, { body: { hello, seq: 1 } });
        assert.equal(answer.refused.code, code);
    });
await client.refused('agent_sync', 'no hello', { body: { seq: 1 } }, 422, { pointer: '/hello', undocumented: true });

// The end of each.
const second = stranger.enrolment(token.token, await challenge());
await client.accepted('agent_enrol', 'a second device', { body: second });
await enrol('a token that is spent', new DeviceKey().enrolment(token.token, await challenge()));
await ok('token_delete', 'one that was not used', { args: { token_id: unused.id } });
await no('token_show', 'one that was deleted', { args: { token_id: unused.id } }, 404);
await enrol('a token that was revoked', new DeviceKey().enrolment(unused.token, await challenge()));
await ok('device_delete', 'the device', ofDevice);
await no('device_show', 'one that was deleted', ofDevice, 404);
await report.step('agent_sync: one that was deleted is told so', async () => {
    const answer = await sync('one that was deleted', { seq: 9 });
    assert.equal(answer.refused.code, 'device_retired');
});
const many = (await ok('token_create', 'for a device that comes back', { body: { fleet_id: fleet.id } })).token;
await client.refused('agent_enrol', 'the key of one that was retired', {
    body: key.enrolment(many, await challenge()),
}, 403, { code: 'forbidden' });
await ok('fleet_delete', 'an empty fleet', ofSpare);
await no('fleet_show', 'one that was deleted', ofSpare, 404);
await ok('operator_delete', 'the viewer', ofViewer);
await client.refused('org_show', 'an operator that was deleted', { token: tokens.viewer }, 401);
await client.accepted('session_logout', 'the operator', { token: tokens.operator, query: { all: true } });
await client.refused('org_show', 'a session that was ended', { token: tokens.operator }, 401);
await client.refused('session_refresh', 'one that was used', { body: { refresh_token: session.refresh_token } }, 401);
await client.refused('session_refresh', 'its session ended with it', {
    body: { refresh_token: renewed.refresh_token },
}, 401);

await report.step('there is nothing at other paths', async () => {
    for (const path of ['/', '/v1', '/v1/fleets/', '/v1/nothing', '/v1/fleets/x/y']) {
        const answer = await request('GET', path);
        assert.equal(answer.status, 404, path);
        assert.deepEqual(document.faults({ $ref: '#/components/schemas/Problem' }, JSON.parse(answer.text)), []);
    }
});
const ids = document.operations.map(({ id }) => id).sort();
await report.step('each operation was called well', () => assert.deepEqual([...client.good].sort(), ids));
await report.step('each operation was called badly', () => assert.deepEqual([...client.bad].sort(), ids));

process.exit(report.failed ? 1 : 0);
