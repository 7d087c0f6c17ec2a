// SPDX-License-Identifier: Apache-2.0
#include "wire/state.h"

enum { ALGORITHM_MAX = 64 };

static const Field StateHead_fields[] = {
    FIELD(StateHead, format, REQUIRED, "that it was written as", .min = 1),
    FIELD(StateHead, reads, REQUIRED, "lowest format whose programs may read it", .min = 1),
};
const Schema StateHead_schema = SCHEMA(StateHead, "state_head", "what every file begins with");

// The members of the head, on the file's own level.
#define HEAD_FIELDS(type)                                                                \
    FIELD_AT(type, head.format, "format", REQUIRED, "that it was written as", .min = 1), \
        FIELD_AT(type,                                                                   \
                 head.reads,                                                             \
                 "reads",                                                                \
                 REQUIRED,                                                               \
                 "lowest format whose programs may read it",                             \
                 .min = 1)

static const Field IdentityFile_fields[] = {
    HEAD_FIELDS(IdentityFile),
    FIELD(IdentityFile, algorithm, REQUIRED, "ed25519", .max = ALGORITHM_MAX),
    FIELD(IdentityFile, seed, REQUIRED, "of the key", .min = SEED_LEN, .max = SEED_LEN),
};
const Schema IdentityFile_schema = SCHEMA(IdentityFile, "identity", "the device's key");

static const Field Membership_fields[] = {
    HEAD_FIELDS(Membership),
    FIELD(Membership, installation, REQUIRED, "whose device this is", .prefix = "installation"),
    FIELD(Membership, device_id, REQUIRED, "this device", .prefix = "device"),
    FIELD(Membership, epoch, REQUIRED, "number of its enrolment", .min = 1),
    FIELD(Membership, name, 0, "its name at enrolment"),
    FIELD(Membership, fleet_id, 0, "its fleet at enrolment", .prefix = "fleet"),
    FIELD(Membership, public_key, REQUIRED, "its identity", .pattern = &Pattern_key32),
};
const Schema Membership_schema =
    SCHEMA(Membership, "membership", "which device this is, and of which installation");

static const Field ServersFile_fields[] = {
    HEAD_FIELDS(ServersFile),
    FIELD_RECORD(ServersFile, servers, Servers, REQUIRED, "where the installation is"),
};
const Schema ServersFile_schema = SCHEMA(ServersFile, "servers_file", "where the installation is");

static const Field DesiredFile_fields[] = {
    HEAD_FIELDS(DesiredFile),
    FIELD_RECORD(DesiredFile, desired, Desired, REQUIRED, "what was accepted last"),
};
const Schema DesiredFile_schema = SCHEMA(DesiredFile, "desired_file", "what was accepted last");

static const Field ReportedFile_fields[] = {
    HEAD_FIELDS(ReportedFile),
    FIELD_RECORD(ReportedFile, reported, Reported, REQUIRED, "what was last told"),
};
const Schema ReportedFile_schema = SCHEMA(ReportedFile, "reported_file", "what was last told");

StateHead state_head(void) {
    return (StateHead){.format = STATE_FORMAT, .reads = STATE_FORMAT};
}

bool state_head_is_readable(const StateHead *head) {
    return head->reads <= STATE_FORMAT;
}
