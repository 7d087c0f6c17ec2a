-- SPDX-License-Identifier: Apache-2.0
-- The first tables. A migration is never edited once it has been released: add the next number.
CREATE TABLE org (
    id TEXT PRIMARY KEY,
    rev INTEGER,
    name TEXT,
    owner_count INTEGER,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX org_name ON org (name);

CREATE TABLE operator (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    name TEXT,
    role TEXT,
    password_hash TEXT,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX operator_name ON operator (org_id, name);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    operator_id TEXT,
    refresh_sha256 TEXT,
    used_sha256 TEXT,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX session_refresh ON session (refresh_sha256);
CREATE INDEX session_used ON session (used_sha256, id);
CREATE INDEX session_expires ON session (expires_at, id);
CREATE INDEX session_operator ON session (org_id, operator_id, id);

CREATE TABLE fleet (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    name TEXT,
    release_id TEXT,
    generation INTEGER,
    assigned_generation INTEGER,
    serial INTEGER,
    device_count INTEGER,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX fleet_name ON fleet (org_id, name);
CREATE INDEX fleet_release ON fleet (org_id, release_id, id);

CREATE TABLE release (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    application TEXT,
    version TEXT,
    ref TEXT,
    digest TEXT,
    created_by TEXT,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX release_ref ON release (org_id, ref);
CREATE INDEX release_application ON release (org_id, application, id);

CREATE TABLE release_document (
    release_id TEXT PRIMARY KEY,
    org_id TEXT,
    text TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    fleet_id TEXT,
    uses_max INTEGER,
    uses INTEGER,
    expires_at INTEGER,
    secret_sha256 TEXT,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX token_secret ON token (secret_sha256);
CREATE INDEX token_fleet ON token (org_id, fleet_id, id);
CREATE INDEX token_expires ON token (expires_at, id);

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    fleet_id TEXT,
    name TEXT,
    labels TEXT,
    public_key TEXT,
    rotate_key INTEGER,
    epoch INTEGER,
    token_id TEXT,
    agent_version TEXT,
    abilities TEXT,
    facts TEXT,
    assigned_generation INTEGER,
    created_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_name ON device (org_id, name);
CREATE UNIQUE INDEX device_public_key ON device (public_key);
CREATE INDEX device_org ON device (org_id, id);
CREATE INDEX device_fleet ON device (org_id, fleet_id, id);

CREATE TABLE device_status (
    device_id TEXT PRIMARY KEY,
    org_id TEXT,
    last_seen_at INTEGER,
    generation INTEGER,
    state TEXT,
    detail TEXT,
    notes TEXT,
    applications TEXT,
    servers_failed TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE telemetry (
    device_id TEXT PRIMARY KEY,
    org_id TEXT,
    at INTEGER,
    cpu_percent REAL,
    load1 REAL,
    memory_used_bytes INTEGER,
    memory_total_bytes INTEGER,
    disk_used_bytes INTEGER,
    disk_total_bytes INTEGER,
    uptime_s INTEGER,
    containers INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tombstone (
    public_key TEXT PRIMARY KEY,
    device_id TEXT,
    org_id TEXT,
    reason TEXT,
    at INTEGER,
    "by" TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstone_device ON tombstone (device_id, reason, public_key);
CREATE INDEX tombstone_reason ON tombstone (reason, public_key);

CREATE TABLE note (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    rev INTEGER,
    class TEXT,
    at INTEGER,
    actor TEXT,
    action TEXT,
    subject TEXT,
    subject_name TEXT,
    "before" TEXT,
    "after" TEXT,
    detail TEXT,
    request TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    id TEXT PRIMARY KEY,
    org_id TEXT,
    number INTEGER,
    class TEXT,
    at INTEGER,
    entry TEXT,
    hash TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_org ON journal (org_id, id);
CREATE INDEX journal_class ON journal (org_id, class, id);

CREATE TABLE journal_head (
    org_id TEXT PRIMARY KEY,
    rev INTEGER,
    checkpoint TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT,
    epoch INTEGER,
    until INTEGER
) STRICT, WITHOUT ROWID;
