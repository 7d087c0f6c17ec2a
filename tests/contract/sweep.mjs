// SPDX-License-Identifier: Apache-2.0
// Everything that can be done wrong in the same way with many operations, derived from the
// document: a new operation is swept without a line here.
import assert from 'node:assert/strict';
import { request } from '../support/client.mjs';
import { checkProblem } from './client.mjs';

/** Where x-access names one of these, the caller must be at least that. */
const RANKS = ['viewer', 'operator', 'owner'];
const BODY_TOO_LARGE = 1600 * 1024; // above the largest limit, that of a release

/**
 * `calls`: by operation id, a call that would succeed now. `tokens`: by role.
 */
export async function sweep(client, calls, tokens) {
    for (const operation of client.document.operations) {
        const call = calls[operation.id];
        assert.ok(call, `no good call is known of ${operation.id}`);
        await sweepCallers(client, operation, call, tokens);
        await sweepArguments(client, operation, call);
        await sweepQuery(client, operation, call);
        if (operation.requestBody) await sweepBody(client, operation, call);
        else await client.refused(operation.id, 'a body', { ...call, body: {} }, 422);
    }
    for (const [path, methods] of Object.entries(client.document.paths)) await sweepMethods(client, path, methods);
}

async function sweepCallers(client, { id, security, ['x-access']: access }, call, tokens) {
    if (security.length === 0) return;
    await client.refused(id, 'no token', { ...call, token: undefined }, 401);
    await client.refused(id, 'a token that is none', { ...call, token: 'x.y.z' }, 401);
    const [head, claims, signature] = call.token.split('.');
    const forged = `${head}.${claims}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`;
    await client.refused(id, 'a forged token', { ...call, token: forged }, 401);
    for (const [role, token] of Object.entries(tokens)) {
        const isEnough = access.some((least) =>
            RANKS.includes(role) ? RANKS.includes(least) && RANKS.indexOf(role) >= RANKS.indexOf(least) : role === least,
        );
        if (!isEnough) await client.refused(id, `the token of a ${role}`, { ...call, token }, 403);
    }
}

async function sweepArguments(client, { id, parameters }, call) {
    for (const { in: place, name } of parameters) {
        if (place !== 'path') continue;
        const absent = call.args[name].replace(/.{4}$/, '0000');
        for (const value of [absent, 'nonsense', 'x'.repeat(129)])
            await client.refused(id, `${name} ${value.slice(0, 40)}`, { ...call, args: { ...call.args, [name]: value } }, 404);
    }
}

async function sweepQuery(client, { id, parameters }, call) {
    await client.refused(id, 'an unknown parameter', { ...call, query: { ...call.query, colour: 'red' } }, 422);
    for (const { in: place, name, schema } of parameters) {
        if (place !== 'query') continue;
        const wrong = wrongTexts(schema);
        for (const [what, value] of Object.entries(wrong))
            await client.refused(id, `parameter ${name} ${what}`, { ...call, query: { [name]: value } }, 422, {
                pointer: `/${name}`,
            });
    }
}

function wrongTexts(schema) {
    const texts = {};
    if (schema.type === 'integer' || schema.type === 'boolean') texts['of a wrong type'] = 'many';
    if (schema.minimum !== undefined) texts['too small'] = schema.minimum - 1;
    if (schema.maximum !== undefined) texts['too large'] = schema.maximum + 1;
    if (schema.maxLength !== undefined) texts['too long'] = 'x'.repeat(schema.maxLength + 1);
    if (schema.pattern !== undefined) texts['not of its pattern'] = '!';
    return texts;
}

async function sweepBody(client, operation, call) {
    const { id } = operation;
    const schema = client.document.bodySchema(operation);
    const { body, ...rest } = call;
    const text = JSON.stringify(body);
    const again = Object.keys(body)[0];
    const raw = (name, sent, status, wanted) => client.refused(id, name, { ...rest, raw: sent }, status, wanted);
    const value = (name, sent, pointer) => client.refused(id, name, { ...rest, body: sent }, 422, { pointer });

    await client.refused(id, 'a body of another type', { ...call, type: 'text/plain' }, 415);
    await raw('a body that breaks off', text.slice(0, -1), 400);
    await raw('text behind the body', `${text}{}`, 400);
    await raw('no body', '', 400);
    await raw('a body that is no object', '[]', 422);
    await raw('a body too large', `{"x":"${'x'.repeat(BODY_TOO_LARGE)}"}`, 413);
    await raw('a repeated field', `{${JSON.stringify(again)}:${JSON.stringify(body[again])},${text.slice(1)}`, 400);
    if (schema.additionalProperties === false) await value('an unknown field', { ...body, colour: 'red' }, '/colour');
    for (const name of schema.required) {
        const { [name]: _, ...without } = body;
        await value(`without ${name}`, without, `/${name}`);
    }
    for (const [name, field] of Object.entries(schema.properties)) {
        const wrong = wrongValues(client.document.resolve(field));
        if (isNullWrong(operation, schema, name)) wrong.null = null;
        for (const [what, sent] of Object.entries(wrong))
            await value(`${name} ${what}`, { ...body, [name]: sent }, `/${name}`);
    }
}

/** A new record takes null for what may be absent, which the document need not advertise. */
function isNullWrong({ method }, schema, name) {
    if (method === 'PATCH') return ![schema.properties[name].type].flat().includes('null');
    return schema.required.includes(name);
}

function wrongValues(schema) {
    const types = [schema.type].flat();
    const values = { 'of a wrong type': types.includes('string') ? 7 : 'seven' };
    if (schema.minimum !== undefined) values['too small'] = schema.minimum - 1;
    if (schema.maximum < Number.MAX_SAFE_INTEGER) values['too large'] = schema.maximum + 1;
    if (schema.maxLength !== undefined) values['too long'] = 'x'.repeat(schema.maxLength + 1);
    if (schema.minLength > 0) values['too short'] = 'x'.repeat(schema.minLength - 1);
    if (schema.pattern !== undefined) values['not of its pattern'] = '!\n';
    if (schema.enum !== undefined) values['not of its words'] = 'sideways';
    if (schema.minItems > 0) values['too few'] = [];
    return values;
}

async function sweepMethods(client, path, methods) {
    const target = path.replace(/\{\w+\}/g, 'x');
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE', 'PUT']) {
        if (methods.includes(method)) continue;
        await client.report.step(`${method} ${path} is 405 with what is allowed`, async () => {
            const answer = await request(method, target);
            assert.equal(answer.status, 405, answer.text);
            assert.deepEqual(answer.headers.allow.split(', ').sort(), [...methods].sort());
            const problem = JSON.parse(answer.text);
            assert.deepEqual(client.document.faults({ $ref: '#/components/schemas/Problem' }, problem), []);
            checkProblem(problem, answer);
        });
    }
}
