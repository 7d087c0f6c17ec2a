// SPDX-License-Identifier: Apache-2.0
// The journal is proved here, where nobody has to be trusted for it: the server hands on bytes.
#include "api/audit.h"
#include "base/scope.h"
#include "cli/api.h"
#include "io/file.h"

enum { AUDIT_FILE_MAX = 16 * 1024, AUDIT_PAGE_ARENA = 64 * 1024 * 1024 };

typedef struct LinePage {
    struct {
        JournalLine *items;
        size_t count;
    } items;
    Str next;
} LinePage;
static const Field LinePage_fields[] = {
    FIELD_LIST(LinePage, items, JournalLine, REQUIRED, "lines", .max = 1000),
    FIELD(LinePage, next, 0, "of the next page"),
};
static const Schema LinePage_schema = SCHEMA(LinePage, "line_page", "a part of the journal");

/// The lines behind the entry with this number.
static Err audit_page(Cli *cli, uint64_t after, Arena *arena, LinePage *ret_page) {
    Str target =
        str_print(arena, "%s?after=%llu&limit=200", Audit_export.path, (unsigned long long)after);
    TRY(arena_check(arena));
    return api_get(cli, target, &LinePage_schema, arena, ret_page);
}

static Err audit_head(Cli *cli, Str *ret_token, Checkpoint *ret_head) {
    SignedCheckpoint reply;
    TRY(api_get(
        cli, str_from(Audit_checkpoint.path), &SignedCheckpoint_schema, &cli->arena, &reply));
    *ret_token = reply.checkpoint;
    return checkpoint_verify(NULL, reply.checkpoint, &cli->arena, ret_head);
}

static Err audit_proof_save(Cli *cli, const AuditProof *proof) {
    Str path = cli_option(cli, "save");
    if (!path.ptr) return SUCCESS;
    SCOPED(text_done) Text text;
    text_init(&text, AUDIT_FILE_MAX);
    schema_encode(&AuditProof_schema, proof, ENCODE_REQUEST, &text);
    text_add_char(&text, '\n');
    TRY(text_check(&text));
    return file_save(str_dup(&cli->arena, path).ptr, text_str(&text), 0644, &cli->said);
}

static Err audit_proof_load(Cli *cli, Str path, AuditProof *ret_proof, Checkpoint *ret_checkpoint) {
    Str json;
    AuditProof proof;
    TRY(file_load(str_dup(&cli->arena, path).ptr, AUDIT_FILE_MAX, &cli->arena, &json, &cli->said));
    Err err = schema_read(&AuditProof_schema, json, DECODE_PEER, &cli->arena, &proof, &cli->said);
    if (err.code == OK)
        err = checkpoint_verify(NULL, proof.checkpoint, &cli->arena, ret_checkpoint);
    TRY(reason_about(&cli->said, err, "%.*s", STR_FMT(path)));
    *ret_proof = proof;
    return SUCCESS;
}

/// A verification under way.
typedef struct AuditWalk {
    Chain chain;
    Str token;
    Checkpoint head;
    Checkpoint earlier; ///< of --checkpoint
} AuditWalk;

/// Where the walk begins: where the file's ended, or at what the file says, or at the start of what
/// retention left.
static Err audit_begin(Cli *cli, AuditWalk *walk) {
    Str path = cli_option(cli, "checkpoint");
    const Checkpoint *head = &walk->head;
    if (!path.ptr)
        return chain_init(&walk->chain, &head->org_id, 0, head->floor_number, head->floor_hash);
    AuditProof proof;
    const Checkpoint *earlier = &walk->earlier;
    TRY(audit_proof_load(cli, path, &proof, &walk->earlier));
    TRY(checkpoint_follows(head, earlier, &cli->said));
    TRY(proof.number ? chain_init(
            &walk->chain, &head->org_id, proof.number, proof.audit_number, proof.audit_hash)
                     : chain_init(&walk->chain,
                                  &head->org_id,
                                  earlier->number,
                                  earlier->audit_number,
                                  earlier->audit_hash));
    walk->chain.passing = earlier;
    return SUCCESS;
}

static Err audit_keep(Cli *cli, const AuditWalk *walk) {
    const Chain *chain = &walk->chain;
    return audit_proof_save(cli,
                            &(AuditProof){.checkpoint = walk->token,
                                          .number = chain->number,
                                          .audit_number = chain->audit_number,
                                          .audit_hash = str_from(chain->hash)});
}

/// One page of the walk. `*ret_more`: there is another. What was sealed since the head was signed
/// is left for the next time.
static Err audit_step(Cli *cli, AuditWalk *walk, Arena *arena, bool *ret_more) {
    LinePage page;
    bool more = true;
    TRY(audit_page(cli, walk->chain.number, arena, &page));
    for (size_t i = 0; i < page.items.count && more; i++) {
        more = page.items.items[i].number <= walk->head.number;
        if (more) TRY(chain_step(&walk->chain, &page.items.items[i], arena, &cli->said));
    }
    *ret_more = more && page.next.ptr && walk->chain.number < walk->head.number;
    return *ret_more ? audit_keep(cli, walk) : SUCCESS;
}

static Err audit_walk(Cli *cli, AuditWalk *walk) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, AUDIT_PAGE_ARENA);
    for (bool more = walk->chain.number < walk->head.number; more;) {
        TRY(audit_step(cli, walk, &arena, &more));
        arena_reset(&arena);
    }
    TRY(chain_end(&walk->chain, &walk->head, &cli->said));
    walk->chain.number = walk->head.number;
    return audit_keep(cli, walk);
}

Err audit_verify_run(Cli *cli, const Verb *) {
    AuditWalk walk = {};
    TRY(audit_head(cli, &walk.token, &walk.head));
    Err err = audit_begin(cli, &walk);
    if (err.code == OK) err = audit_walk(cli, &walk);
    if (err.code != OK && err.code != ERR_STATE) return err;
    AuditVerdict verdict = {.intact = err.code == OK,
                            .entries = walk.chain.entries,
                            .number = walk.chain.number,
                            .head = str_from(walk.chain.hash)};
    if (!verdict.intact) verdict.broken = str_from(cli->said.text);
    if (!verdict.intact) cli->exit_code = EXIT_PARTIAL;
    return cli_show(cli, &AuditVerdict_schema, &verdict);
}

Err audit_checkpoint_run(Cli *cli, const Verb *) {
    Str token;
    Checkpoint head;
    TRY(audit_head(cli, &token, &head));
    TRY(audit_proof_save(cli, &(AuditProof){.checkpoint = token}));
    if (cli_option(cli, "save").ptr) return SUCCESS;
    return cli_show(cli, &SignedCheckpoint_schema, &(SignedCheckpoint){token});
}

Err audit_export_run(Cli *cli, const Verb *) {
    Str text = cli_option(cli, "after");
    uint64_t after = 0;
    if (text.ptr && str_u64(text, &after).code != OK)
        return cli_usage(cli, "--after must be the number of an entry");
    SCOPED(arena_done) Arena arena;
    SCOPED(text_done) Text out;
    arena_init(&arena, AUDIT_PAGE_ARENA);
    text_init(&out, AUDIT_PAGE_ARENA);
    for (bool more = true; more;) {
        LinePage page;
        TRY(audit_page(cli, after, &arena, &page));
        for (size_t i = 0; i < page.items.count; i++) {
            schema_encode(&JournalLine_schema, &page.items.items[i], ENCODE_REPLY, &out);
            text_add_char(&out, '\n');
            after = page.items.items[i].number;
        }
        TRY(cli_print(cli, &out));
        more = page.next.ptr && page.items.count > 0;
        text_clear(&out);
        arena_reset(&arena);
    }
    return SUCCESS;
}
