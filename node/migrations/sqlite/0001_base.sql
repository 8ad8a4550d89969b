-- One place's database. Certificates, headers, grants, wraps and commits are the truth; feeds, cursors
-- and receipts are what was promised to the neighbours; everything from `matters` down to `stubs` is
-- derived and can be rebuilt. Integers name rows inside; ids of the federation are BLOBs.

CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;

-- In the order they were accepted: an issuer always stands before what it issued.
-- `at_ms` is when the record was stored here; what a node was born with has 0.
CREATE TABLE certs (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    at_ms INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE revocations (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    at_ms INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE placements (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    at_ms INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE actors (
    id INTEGER PRIMARY KEY,
    actor BLOB NOT NULL UNIQUE,
    cert INTEGER NOT NULL REFERENCES certs(id),
    incarnation INTEGER NOT NULL
);

CREATE TABLE docs (
    id INTEGER PRIMARY KEY,
    doc BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    home BLOB NOT NULL,
    header BLOB NOT NULL
);
CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    doc INTEGER NOT NULL REFERENCES docs(id),
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL
);
CREATE INDEX grants_of_doc ON grants(doc);
-- Deletable on purpose: forgetting a petitioner deletes the wraps of its key (kind 0) and keeps the word to
-- forget (1) and each place's word that it has (2). A feed's row names a record by its number, so a number
-- must never be given to another one. One node's useless key for a reader does not keep another's out.
CREATE TABLE wraps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    doc INTEGER NOT NULL REFERENCES docs(id),
    kind INTEGER NOT NULL,
    author BLOB NOT NULL,
    reader BLOB NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL,
    UNIQUE (doc, kind, author, reader)
);

CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    peer BLOB NOT NULL,
    up INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0,
    address TEXT,
    out_seq INTEGER NOT NULL DEFAULT 0,
    out_digest BLOB NOT NULL,
    out_acked INTEGER NOT NULL DEFAULT 0,
    in_epoch BLOB,
    in_seq INTEGER NOT NULL DEFAULT 0,
    in_digest BLOB NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    last_contact_ms INTEGER,
    last_in_step_ms INTEGER,
    why TEXT,
    UNIQUE (peer, up)
);
-- The links that may see a document.
CREATE TABLE visible (
    doc INTEGER NOT NULL,
    link INTEGER NOT NULL,
    PRIMARY KEY (doc, link)
) WITHOUT ROWID;
-- Places a document's audience names before their certificate came; routed again when it comes.
CREATE TABLE unplaced (
    place BLOB NOT NULL,
    doc INTEGER NOT NULL,
    PRIMARY KEY (place, doc)
) WITHOUT ROWID;

-- `bytes` stands last so that the index of a history is read without its overflow pages.
CREATE TABLE commits (
    id INTEGER PRIMARY KEY,
    doc INTEGER NOT NULL REFERENCES docs(id),
    stored_up INTEGER NOT NULL DEFAULT 0,
    hash BLOB NOT NULL,
    actor INTEGER NOT NULL REFERENCES actors(id),
    seq INTEGER NOT NULL,
    max_op INTEGER NOT NULL,
    deps BLOB NOT NULL,
    cover_cert INTEGER REFERENCES certs(id),
    cover_sig BLOB,
    origin_link INTEGER,
    origin_seq INTEGER,
    origin_ord INTEGER,
    stored_at_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (doc, hash)
);

CREATE TABLE feeds (
    link INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    doc INTEGER NOT NULL,
    item INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (link, seq)
) WITHOUT ROWID;
-- Acknowledgements this node gave, to give again.
CREATE TABLE acks (
    link INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    to_seq INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (link, epoch, to_seq)
) WITHOUT ROWID;
-- Receipts this node was given by levels above.
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    level INTEGER NOT NULL,
    level_place BLOB NOT NULL,
    link INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX receipts_of_link ON receipts(link, to_seq);
CREATE TABLE verdicts (
    id INTEGER PRIMARY KEY,
    link INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    seq INTEGER NOT NULL,
    ord INTEGER NOT NULL,
    doc BLOB NOT NULL,
    hash BLOB NOT NULL,
    verdict INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL
);
CREATE INDEX verdicts_of_link ON verdicts(link, id);
CREATE INDEX verdicts_parked ON verdicts(doc) WHERE verdict = 2;
CREATE TABLE link_log (
    id INTEGER PRIMARY KEY,
    link INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    up INTEGER NOT NULL,
    why TEXT
);

CREATE TABLE numbers (
    year INTEGER NOT NULL,
    block INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (year, block)
) WITHOUT ROWID;
-- A matter known to another system under its number is taken over once only.
CREATE TABLE follow (
    system TEXT NOT NULL,
    number TEXT NOT NULL,
    doc INTEGER NOT NULL REFERENCES docs(id),
    PRIMARY KEY (system, number)
) WITHOUT ROWID;

-- The projector's durable queue. `stamp` tells whether a document changed again since it was taken.
CREATE TABLE dirty (doc INTEGER PRIMARY KEY, stamp INTEGER NOT NULL);
-- Documents being read while the process might be killed by them; a row found at start names a suspect.
CREATE TABLE applying (doc INTEGER PRIMARY KEY, times INTEGER NOT NULL DEFAULT 1);
CREATE TABLE quarantine (doc INTEGER PRIMARY KEY, why TEXT NOT NULL, at_ms INTEGER NOT NULL);

CREATE TABLE matters (
    doc INTEGER PRIMARY KEY REFERENCES docs(id),
    number TEXT,
    check_code TEXT,
    title TEXT NOT NULL,
    category TEXT,
    source TEXT,
    channel TEXT,
    stage TEXT NOT NULL,
    holder BLOB,
    home BLOB NOT NULL,
    due_day TEXT,
    raised_on TEXT,
    merged_into BLOB,
    answered_on TEXT,
    told INTEGER NOT NULL,
    rated INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    supports INTEGER NOT NULL,
    violations INTEGER NOT NULL,
    ext_system TEXT,
    ext_number TEXT,
    unit TEXT,
    person TEXT,
    phase TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX matters_by_update ON matters(updated_at_ms, doc);
CREATE INDEX matters_by_number ON matters(number);
CREATE INDEX matters_by_due ON matters(coalesce(due_day, '9999'), doc, holder) WHERE closed = 0;
-- The inbox: each of its views is one range of one of these, due first, whatever else there is. See store/inbox.rs.
CREATE INDEX inbox_phase ON matters(holder, phase, coalesce(due_day, '9999'), doc) WHERE closed = 0;
CREATE INDEX inbox_held ON matters(holder, coalesce(due_day, '9999'), doc, phase, home) WHERE closed = 0;
CREATE INDEX inbox_newest ON matters(holder, updated_at_ms, doc, phase) WHERE closed = 0;
CREATE INDEX inbox_unit ON matters(holder, unit, person, coalesce(due_day, '9999'), doc, phase) WHERE closed = 0 AND unit IS NOT NULL;
CREATE INDEX inbox_home ON matters(home, coalesce(due_day, '9999'), doc) WHERE closed = 0;
CREATE INDEX inbox_untold ON matters(coalesce(due_day, '9999'), doc, home) WHERE answered_on IS NOT NULL AND told = 0;
CREATE INDEX matters_by_answer ON matters(answered_on, doc) WHERE answered_on IS NOT NULL;
CREATE INDEX matters_by_age ON matters(raised_on, doc) WHERE closed = 0 AND answered_on IS NULL;
-- What the public board shows besides: notices with their last day, public money; and what may not stand there.
CREATE TABLE board (
    doc INTEGER PRIMARY KEY REFERENCES docs(id),
    hidden INTEGER NOT NULL,
    posted_until TEXT,
    money_at_ms INTEGER,
    detail TEXT NOT NULL
);
CREATE INDEX board_by_notice ON board(posted_until) WHERE posted_until IS NOT NULL;
CREATE INDEX board_by_money ON board(money_at_ms) WHERE money_at_ms IS NOT NULL;
-- What matters say, as it is compared: see store/similar.rs. The index keeps words only, as whoever writes it
-- took the text apart: the tokenizer cuts at spaces.
CREATE TABLE matter_texts (doc INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE VIRTUAL TABLE similar_grams USING fts5(
    grams, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
-- In how many of every thirty-second matter a word stands.
CREATE TABLE common_grams (gram TEXT PRIMARY KEY NOT NULL, times INTEGER NOT NULL) WITHOUT ROWID;
-- Procedures that charters issued, by what pins them: derived from the charters' changes.
CREATE TABLE procedures (
    pin BLOB PRIMARY KEY,
    place BLOB NOT NULL,
    act TEXT NOT NULL,
    issued_on TEXT,
    file TEXT NOT NULL
);
-- The snapshot in force of each place, and the holiday notices issued: derived likewise.
CREATE TABLE snapshots (
    place BLOB PRIMARY KEY,
    hash BLOB NOT NULL,
    number INTEGER NOT NULL,
    issued_on TEXT,
    articles TEXT
);
CREATE TABLE notices (
    place BLOB NOT NULL,
    year INTEGER NOT NULL,
    issued_on TEXT,
    notice TEXT NOT NULL,
    PRIMARY KEY (place, year)
);
CREATE TABLE outcomes (
    doc INTEGER PRIMARY KEY REFERENCES docs(id),
    title TEXT NOT NULL,
    place BLOB NOT NULL,
    decided_on TEXT,
    due_on TEXT,
    updated_at_ms INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX outcomes_by_update ON outcomes(updated_at_ms, doc);
-- Which matters an outcome decides, by document id: the matter need not be here.
CREATE TABLE outcome_matters (
    matter BLOB NOT NULL,
    outcome INTEGER NOT NULL,
    PRIMARY KEY (matter, outcome)
) WITHOUT ROWID;
-- What places made known to others, this one among them: one row a document, its last word.
CREATE TABLE announcements (
    doc INTEGER PRIMARY KEY REFERENCES docs(id),
    place BLOB NOT NULL,
    sort TEXT NOT NULL,
    title TEXT NOT NULL,
    category TEXT,
    said_on INTEGER NOT NULL,
    until INTEGER,
    recalled INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX announcements_by_day ON announcements(said_on, doc);
-- Matters that a place above opened, by document id: the matter need not be here.
CREATE TABLE openings (
    matter BLOB NOT NULL,
    place BLOB NOT NULL,
    notice INTEGER NOT NULL REFERENCES docs(id),
    position INTEGER NOT NULL,
    number TEXT NOT NULL,
    reason TEXT NOT NULL,
    opened_on INTEGER NOT NULL,
    person TEXT,
    PRIMARY KEY (matter, place, notice, position)
) WITHOUT ROWID;
-- What the registers of places below say about matters this place may not open.
CREATE TABLE stubs (
    register INTEGER NOT NULL REFERENCES docs(id),
    matter BLOB NOT NULL,
    place BLOB NOT NULL,
    number TEXT,
    category TEXT,
    stage TEXT NOT NULL,
    holder BLOB,
    due_day TEXT,
    closed INTEGER NOT NULL,
    violations INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (register, matter)
) WITHOUT ROWID;
CREATE INDEX stubs_of_place ON stubs(place);
CREATE INDEX stubs_of_matter ON stubs(matter);
CREATE INDEX stubs_by_number ON stubs(number);

-- What is known of every matter of this place and of those below, whether the matter itself is here or only a
-- register speaks of it: one row each, whoever told. Days are days since 1970-01-01. `tally` counts these rows by
-- week (its Monday) or due day, place and category, kept by the triggers below, so that no page counts them itself:
-- 1 raised · 2 answered · 3 refused or referred · 4 closed · 5 open, by due day · 6 open · 7 with violations.
-- What was raised and replied to stands with the place that registered it; what is open with whoever holds it.
CREATE TABLE standings (
    id INTEGER PRIMARY KEY,
    matter BLOB NOT NULL UNIQUE,
    here INTEGER NOT NULL,
    said_on INTEGER NOT NULL,
    home BLOB NOT NULL,
    number TEXT,
    category TEXT,
    stage TEXT NOT NULL,
    holder BLOB,
    raised INTEGER,
    moved INTEGER NOT NULL,
    answered INTEGER,
    refused INTEGER,
    due INTEGER,
    waits INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    violations INTEGER NOT NULL
);
CREATE INDEX standings_raised ON standings(raised, id);
CREATE INDEX standings_answered ON standings(answered, id) WHERE answered IS NOT NULL;
CREATE INDEX standings_refused ON standings(refused, id) WHERE refused IS NOT NULL;
CREATE INDEX standings_closed ON standings(moved, id) WHERE stage = 'closed';
CREATE INDEX standings_due ON standings(due, id) WHERE closed = 0;
CREATE INDEX standings_open ON standings(raised, id) WHERE closed = 0;
CREATE INDEX standings_waiting ON standings(raised, id) WHERE waits = 1;
CREATE INDEX standings_broken ON standings(raised, id) WHERE violations > 0;
CREATE TABLE tally (
    what INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    place BLOB NOT NULL,
    category TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (what, slot, place, category)
) WITHOUT ROWID;
CREATE TRIGGER standings_added AFTER INSERT ON standings BEGIN
    INSERT INTO tally (what, slot, place, category, n)
    SELECT 1, new.raised - (new.raised + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.raised IS NOT NULL
    UNION ALL SELECT 2, new.answered - (new.answered + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.answered IS NOT NULL
    UNION ALL SELECT 3, new.refused - (new.refused + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.refused IS NOT NULL
    UNION ALL SELECT 4, new.moved - (new.moved + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.stage = 'closed'
    UNION ALL SELECT 5, new.due, coalesce(new.holder, new.home), coalesce(new.category, ''), 1 WHERE new.closed = 0 AND new.due IS NOT NULL
    UNION ALL SELECT 6, 0, coalesce(new.holder, new.home), coalesce(new.category, ''), 1 WHERE new.closed = 0
    UNION ALL SELECT 7, 0, new.home, coalesce(new.category, ''), 1 WHERE new.violations > 0
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER standings_changed AFTER UPDATE ON standings BEGIN
    INSERT INTO tally (what, slot, place, category, n)
    SELECT 1, old.raised - (old.raised + 3) % 7, old.home, coalesce(old.category, ''), -1 WHERE old.raised IS NOT NULL
    UNION ALL SELECT 2, old.answered - (old.answered + 3) % 7, old.home, coalesce(old.category, ''), -1 WHERE old.answered IS NOT NULL
    UNION ALL SELECT 3, old.refused - (old.refused + 3) % 7, old.home, coalesce(old.category, ''), -1 WHERE old.refused IS NOT NULL
    UNION ALL SELECT 4, old.moved - (old.moved + 3) % 7, old.home, coalesce(old.category, ''), -1 WHERE old.stage = 'closed'
    UNION ALL SELECT 5, old.due, coalesce(old.holder, old.home), coalesce(old.category, ''), -1 WHERE old.closed = 0 AND old.due IS NOT NULL
    UNION ALL SELECT 6, 0, coalesce(old.holder, old.home), coalesce(old.category, ''), -1 WHERE old.closed = 0
    UNION ALL SELECT 7, 0, old.home, coalesce(old.category, ''), -1 WHERE old.violations > 0
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
    INSERT INTO tally (what, slot, place, category, n)
    SELECT 1, new.raised - (new.raised + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.raised IS NOT NULL
    UNION ALL SELECT 2, new.answered - (new.answered + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.answered IS NOT NULL
    UNION ALL SELECT 3, new.refused - (new.refused + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.refused IS NOT NULL
    UNION ALL SELECT 4, new.moved - (new.moved + 3) % 7, new.home, coalesce(new.category, ''), 1 WHERE new.stage = 'closed'
    UNION ALL SELECT 5, new.due, coalesce(new.holder, new.home), coalesce(new.category, ''), 1 WHERE new.closed = 0 AND new.due IS NOT NULL
    UNION ALL SELECT 6, 0, coalesce(new.holder, new.home), coalesce(new.category, ''), 1 WHERE new.closed = 0
    UNION ALL SELECT 7, 0, new.home, coalesce(new.category, ''), 1 WHERE new.violations > 0
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
    DELETE FROM tally WHERE what = 5 AND slot = old.due AND place = coalesce(old.holder, old.home)
        AND category = coalesce(old.category, '') AND n <= 0;
END;
-- Who was last heard from when, as the place above it says in its register.
CREATE TABLE heard (
    place BLOB NOT NULL,
    said_by BLOB NOT NULL,
    day INTEGER,
    PRIMARY KEY (place, said_by)
) WITHOUT ROWID;

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    roles TEXT NOT NULL,
    password TEXT NOT NULL,
    active INTEGER NOT NULL,
    failed INTEGER NOT NULL DEFAULT 0,
    locked_until_ms INTEGER NOT NULL DEFAULT 0,
    created_at_ms INTEGER NOT NULL
);
-- Only hashes of what the browser or program holds.
CREATE TABLE sessions (
    secret BLOB PRIMARY KEY NOT NULL,
    person INTEGER NOT NULL REFERENCES people(id),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret BLOB NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    last_used_ms INTEGER
);
-- Answers already given to requests with an idempotency key.
CREATE TABLE answered (
    who TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (who, key)
) WITHOUT ROWID;
CREATE INDEX answered_by_age ON answered(at_ms);
-- Invitations given out; the secret itself is kept only as its hash.
CREATE TABLE invites (
    secret BLOB PRIMARY KEY NOT NULL,
    place BLOB NOT NULL,
    detail TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER
) WITHOUT ROWID;
-- Workbooks that this place fills from what is on record; kept here only.
CREATE TABLE forms (
    name TEXT PRIMARY KEY NOT NULL,
    file BLOB NOT NULL,
    cells TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at_ms INTEGER NOT NULL
);
-- Files that matters name, by their BLAKE3 hash. `have` counts pieces from the first; `above` says that the parent
-- has stored all of it, `came_from` over which link it came. state: 0 wanted, 1 here, 2 let go.
CREATE TABLE attachments (
    id INTEGER PRIMARY KEY,
    file BLOB NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    pieces INTEGER NOT NULL,
    list BLOB,
    have INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0,
    above INTEGER NOT NULL DEFAULT 0,
    came_from INTEGER,
    uploaded_by TEXT,
    since_ms INTEGER NOT NULL
);
CREATE INDEX attachments_wanted ON attachments (id) WHERE state = 0;
CREATE INDEX attachments_untold ON attachments (id) WHERE state = 1 AND above = 0;
CREATE TABLE attachment_pieces (
    file INTEGER NOT NULL REFERENCES attachments(id),
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (file, n)
);
-- Which matters name them, and who put them there: derived.
CREATE TABLE attachment_refs (
    doc INTEGER NOT NULL REFERENCES docs(id),
    file BLOB NOT NULL,
    size INTEGER NOT NULL,
    place BLOB NOT NULL,
    PRIMARY KEY (doc, file, place)
) WITHOUT ROWID;
CREATE INDEX attachment_refs_file ON attachment_refs (file, doc);
