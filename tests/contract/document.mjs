// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document as a judge of requests and answers. JSON Schema is ajv's business.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const METHODS = ['get', 'post', 'patch', 'delete'];

export class Document {
    #ajv = addFormats(new Ajv({ strict: true, allErrors: true, allowUnionTypes: true }));

    constructor(document) {
        this.schemas = document.components.schemas;
        this.responses = document.components.responses;
        this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
            METHODS.filter((method) => item[method]).map((method) => ({
                ...item[method],
                id: item[method].operationId,
                method: method.toUpperCase(),
                path,
            })),
        );
        this.paths = Object.fromEntries(
            Object.entries(document.paths).map(([path, item]) => [
                path,
                METHODS.filter((method) => item[method]).map((method) => method.toUpperCase()),
            ]),
        );
        for (const [name, schema] of Object.entries(this.schemas))
            this.#ajv.addSchema(schema, `#/components/schemas/${name}`);
    }

    /** Each component is a schema that the validator accepts in its strict mode. */
    compile() {
        for (const name of Object.keys(this.schemas)) this.#ajv.compile(ref(name));
        return Object.keys(this.schemas).length;
    }

    operation(id) {
        const found = this.operations.find((operation) => operation.id === id);
        assert.ok(found, `no operation ${id}`);
        return found;
    }

    /** The schema of an operation's body with its references followed, or undefined. */
    bodySchema(operation) {
        return operation.requestBody && this.resolve(Object.values(operation.requestBody.content)[0].schema);
    }

    resolve(schema) {
        return schema.$ref ? this.schemas[schema.$ref.split('/').at(-1)] : schema;
    }

    faults(schema, value) {
        return this.#ajv.validate(schema, value) ? [] : this.#ajv.errors;
    }

    /** What the document has against a request: parameters and a body that is a value. */
    requestFaults(operation, { args = {}, query = {}, header = {}, body }) {
        const given = { path: args, query, header };
        const faults = [];
        for (const { in: place, name, required, schema } of operation.parameters) {
            const value = given[place][name];
            if (value !== undefined) faults.push(...this.faults(schema, parameterValue(schema, value)));
            else if (required) faults.push({ message: `no ${name}` });
        }
        for (const name of Object.keys(query))
            if (!operation.parameters.some((known) => known.in === 'query' && known.name === name))
                faults.push({ message: `unknown parameter ${name}` });
        if (operation.requestBody)
            faults.push(...this.faults(Object.values(operation.requestBody.content)[0].schema, body));
        else if (body !== undefined) faults.push({ message: 'no body is taken' });
        return faults;
    }

    /** The data of what has no name is as the document says. Returns [{id, event, data}]. */
    #checkEvents(content, text) {
        return eventsOf(text).map(({ id, event, data }) => {
            const value = JSON.parse(data);
            if (event === undefined) assert.deepEqual(this.faults(content['x-event-data'], value), [], data);
            return { id, event, data: value };
        });
    }

    /** Throws unless the operation lists such an answer. Returns its body's value. */
    checkAnswer(operation, { status, headers, text }) {
        const listed = operation.responses;
        let response = listed[status] ?? listed[`${String(status)[0]}XX`] ?? listed.default;
        assert.ok(listed[status] || status >= 400, `status ${status} is not listed`);
        if (response.$ref) response = this.responses[response.$ref.split('/').at(-1)];
        const type = headers['content-type'];
        if (!response.content) {
            assert.equal(text, '', 'a body although none is listed');
            assert.equal(type, undefined);
            return undefined;
        }
        assert.ok(response.content[type], `content type ${type} is not listed`);
        if (type === 'text/event-stream') return this.#checkEvents(response.content[type], text);
        const value = JSON.parse(text);
        const faults = this.faults(response.content[type].schema, value);
        assert.deepEqual(faults, [], `the answer is not as the document says: ${text.slice(0, 2000)}`);
        return value;
    }
}

/** The events of a text/event-stream as the server writes it: [{id, event, data}], data a text. */
function eventsOf(text) {
    assert.ok(text.endsWith('\n\n'), 'the last event is whole');
    const fieldsOf = (block) => block.split('\n').map((line) => line.match(/^(\w*): ?(.*)$/).slice(1));
    return text
        .slice(0, -2)
        .split('\n\n')
        .map((block) => Object.fromEntries(fieldsOf(block)))
        .filter(({ data }) => data !== undefined);
}

function ref(name) {
    return { $ref: `#/components/schemas/${name}` };
}

/** Parameters are texts; the schema says what they mean. */
function parameterValue(schema, text) {
    if (schema.type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
    if (schema.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
    if (schema.type === 'array') return String(text).split(',');
    return String(text);
}
