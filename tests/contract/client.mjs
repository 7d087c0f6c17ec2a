// SPDX-License-Identifier: Apache-2.0
// Calls that are judged by the document, in both directions, and counted by operation.
import assert from 'node:assert/strict';
import { request } from '../support/client.mjs';

/** `code` of a problem by the status that it comes with. */
const CODES = {
    400: ['invalid'],
    401: ['unauthenticated'],
    403: ['forbidden'],
    404: ['not_found'],
    405: ['invalid'],
    409: ['exists', 'state'],
    413: ['limit'],
    415: ['invalid'],
    422: ['invalid'],
};

export class Client {
    good = new Set();
    bad = new Set();

    constructor(document, report) {
        this.document = document;
        this.report = report;
    }

    /**
     * A call that must succeed and that the document allows. Resolves to the answer's value.
     * `call`: {args, query, header, body, token, type}.
     */
    accepted(id, name, call = {}) {
        return this.report.step(`${id}: ${name}`, async () => {
            const operation = this.document.operation(id);
            assert.deepEqual(this.document.requestFaults(operation, call), [], 'the document refuses the request');
            if (call.type) assert.ok(operation.requestBody.content[call.type], `${call.type} is not listed`);
            const answer = await this.#send(operation, call);
            assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
            const value = this.document.checkAnswer(operation, answer);
            this.good.add(id);
            return value;
        });
    }

    /**
     * A call that must fail with `status`. Of `wanted`: `code`; `pointer` of one of the bad fields;
     * `undocumented`: the document cannot tell that it is bad. `call.raw` is a body as it is.
     */
    refused(id, name, call, status, wanted = {}) {
        return this.report.step(`${id}: ${name} is ${status}`, async () => {
            const operation = this.document.operation(id);
            if (status === 422 && call.raw === undefined && !wanted.undocumented)
                assert.notDeepEqual(this.document.requestFaults(operation, call), [], 'the document allows it');
            const answer = await this.#send(operation, call);
            assert.equal(answer.status, status, answer.text);
            const problem = this.document.checkAnswer(operation, answer);
            checkProblem(problem, answer);
            if (wanted.code) assert.equal(problem.code, wanted.code);
            if (wanted.pointer !== undefined)
                assert.ok(
                    problem.errors?.some(({ pointer }) => pointer === wanted.pointer),
                    `nothing about ${wanted.pointer}: ${answer.text}`,
                );
            this.bad.add(id);
        });
    }

    #send({ method, path, requestBody }, { args = {}, query = {}, header = {}, body, raw, token, type }) {
        const target = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(args[name]));
        const words = new URLSearchParams(query).toString();
        const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
        const headers = { ...header };
        const listed = requestBody && Object.keys(requestBody.content)[0];
        if (sent !== undefined) headers['Content-Type'] = type ?? listed ?? 'application/json';
        if (token) headers.Authorization = `Bearer ${token}`;
        return request(method, words ? `${target}?${words}` : target, { headers, body: sent });
    }
}

/** What every failure has in common beyond its schema. */
export function checkProblem(problem, answer) {
    assert.equal(problem.status, answer.status);
    assert.ok(CODES[answer.status]?.includes(problem.code), `code ${problem.code} with ${answer.status}`);
    assert.equal(problem.type, `urn:muster:problem:${problem.code}`);
    assert.match(problem.request_id, /^req_[0-7][0-9a-z]{25}$/);
    assert.equal(problem.request_id, answer.headers['x-request-id']);
    if (answer.status === 401) assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer\b/);
}
