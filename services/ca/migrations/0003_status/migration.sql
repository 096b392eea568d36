-- Status at scale: holds and releases, deltas, partitioned CRLs. Every change of a certificate's status is a row that
-- stays; what stands now is one row of ca.revocations, kept by the same insert.

-- How many CRLs an issuer's certificates are spread over. Fixed before the first certificate is issued, for each names
-- the CRL that will list it.
CREATE TABLE ca.crl_partitions (
  issuer text     PRIMARY KEY REFERENCES ca.authorities (name),
  shards smallint NOT NULL CHECK (shards BETWEEN 1 AND 256)
);
INSERT INTO ca.crl_partitions (issuer, shards) SELECT name, 1 FROM ca.authorities;

-- What one CRL is to list. A change of status holds its row until it is committed, so that changes are numbered in the
-- order in which they become visible, without gaps: "everything after change n" misses none.
CREATE TABLE ca.crl_scopes (
  issuer       text     NOT NULL REFERENCES ca.authorities (name),
  shard        smallint NOT NULL,
  change_count bigint   NOT NULL DEFAULT 0,
  entry_count  bigint   NOT NULL DEFAULT 0,
  entry_bytes  bigint   NOT NULL DEFAULT 0,
  PRIMARY KEY (issuer, shard)
);

-- The numbers of its CRLs. A table of its own, for whoever makes a CRL writes here and must stop no revocation.
CREATE TABLE ca.crl_numbers (
  issuer            text        NOT NULL REFERENCES ca.authorities (name),
  shard             smallint    NOT NULL,
  -- The last one given out; full and delta share one sequence (RFC 5280 5.2.4).
  number            bigint      NOT NULL CHECK (number >= 1),
  -- The full CRL that the next delta builds on, and the changes that it covers.
  base_number       bigint      NOT NULL CHECK (base_number <= number),
  base_change_count bigint      NOT NULL,
  base_at           timestamptz NOT NULL,
  PRIMARY KEY (issuer, shard)
);
INSERT INTO ca.crl_numbers (issuer, shard, number, base_number, base_change_count, base_at)
  SELECT issuer, 0, number, number, revocation_count, this_update FROM ca.crls;

-- The history. `entry` is what a delta CRL lists for it, in DER: written once, and copied into CRLs as it is.
CREATE TABLE ca.status_changes (
  issuer          text        NOT NULL,
  shard           smallint    NOT NULL,
  number          bigint      NOT NULL,
  serial_number   bytea       NOT NULL REFERENCES ca.certificates (serial_number),
  status          text        NOT NULL CHECK (status IN ('revoked', 'on-hold', 'good')),
  reason          text        CHECK (reason IN ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded',
                                'cessationOfOperation', 'privilegeWithdrawn', 'certificateHold')),
  changed_at      timestamptz NOT NULL,
  invalidity_date timestamptz,
  entry           bytea       NOT NULL,
  recorded_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, shard, number),
  CHECK ((status = 'good') = (reason IS NULL)),
  CHECK ((status = 'on-hold') = (reason IS NOT DISTINCT FROM 'certificateHold')),
  CHECK (status = 'revoked' OR invalidity_date IS NULL)
);
CREATE INDEX status_changes_serial ON ca.status_changes (serial_number, number DESC);

-- What stands now: the revoked and the held.
ALTER TABLE ca.revocations
  ADD COLUMN shard smallint NOT NULL DEFAULT 0,
  ADD COLUMN change_number bigint,
  ADD COLUMN invalidity_date timestamptz,
  ADD COLUMN entry bytea,
  DROP CONSTRAINT revocations_reason_check,
  ADD CONSTRAINT revocations_reason_check CHECK (reason IN ('unspecified', 'keyCompromise', 'affiliationChanged',
    'superseded', 'cessationOfOperation', 'privilegeWithdrawn', 'certificateHold'));

-- Those that were recorded before: numbered, and with the entry that revocation/entry.ts writes (RFC 5280 5.1, UTCTime).
DROP TRIGGER revocations_change ON ca.revocations;
WITH numbered AS (
  SELECT serial_number, row_number() OVER (PARTITION BY issuer ORDER BY recorded_at, serial_number) AS number,
         CASE WHEN get_byte(serial_number, 0) >= 128 THEN '\x00'::bytea || serial_number ELSE serial_number END AS serial,
         convert_to(to_char(revoked_at AT TIME ZONE 'UTC', 'YYMMDDHH24MISS') || 'Z', 'LATIN1') AS digits,
         CASE reason WHEN 'keyCompromise' THEN 1 WHEN 'affiliationChanged' THEN 3 WHEN 'superseded' THEN 4
           WHEN 'cessationOfOperation' THEN 5 WHEN 'privilegeWithdrawn' THEN 9 END AS code
  FROM ca.revocations
), content AS (
  SELECT serial_number, number,
         '\x02'::bytea || set_byte('\x00'::bytea, 0, length(serial)) || serial || '\x170d'::bytea || digits ||
         CASE WHEN code IS NULL THEN ''::bytea
           ELSE '\x300c300a0603551d1504030a0100'::bytea END AS bytes, code
  FROM numbered
)
UPDATE ca.revocations r SET change_number = c.number,
  entry = '\x30'::bytea || set_byte('\x00'::bytea, 0, length(c.bytes)) ||
    CASE WHEN c.code IS NULL THEN c.bytes ELSE set_byte(c.bytes, length(c.bytes) - 1, c.code) END
FROM content c WHERE c.serial_number = r.serial_number;
INSERT INTO ca.status_changes (issuer, shard, number, serial_number, status, reason, changed_at, entry, recorded_at)
  SELECT issuer, shard, change_number, serial_number, 'revoked', reason, revoked_at, entry, recorded_at FROM ca.revocations;
INSERT INTO ca.crl_scopes (issuer, shard, change_count, entry_count, entry_bytes)
  SELECT issuer, 0, count(*), count(*), sum(length(entry)) FROM ca.revocations GROUP BY issuer;

ALTER TABLE ca.revocations
  ALTER COLUMN shard DROP DEFAULT,
  ALTER COLUMN change_number SET NOT NULL,
  ALTER COLUMN entry SET NOT NULL;
DROP INDEX ca.revocations_issuer;
-- CRLs are read along it; rows lie in about this order, which is why.
CREATE UNIQUE INDEX revocations_change_number ON ca.revocations (issuer, shard, change_number);

-- Full and delta of each scope. The delta's base is the number of the full CRL that it builds on.
ALTER TABLE ca.crls
  ADD COLUMN shard smallint NOT NULL DEFAULT 0,
  ADD COLUMN kind text NOT NULL DEFAULT 'full' CHECK (kind IN ('full', 'delta')),
  ADD COLUMN base_number bigint,
  DROP CONSTRAINT crls_pkey,
  ADD PRIMARY KEY (issuer, shard, kind),
  ADD CHECK ((kind = 'delta') = (base_number IS NOT NULL)),
  ADD CHECK (base_number < number);
ALTER TABLE ca.crls RENAME COLUMN revocation_count TO change_count;
ALTER TABLE ca.crls ALTER COLUMN shard DROP DEFAULT, ALTER COLUMN kind DROP DEFAULT;

-- ca.crls.crl is the beginning of a long CRL; the rest is here, so that nobody needs several times its length in memory
-- to write or read it.
CREATE TABLE ca.crl_parts (
  issuer text     NOT NULL,
  shard  smallint NOT NULL,
  kind   text     NOT NULL,
  part   int      NOT NULL CHECK (part >= 1),
  bytes  bytea    NOT NULL,
  PRIMARY KEY (issuer, shard, kind, part),
  FOREIGN KEY (issuer, shard, kind) REFERENCES ca.crls (issuer, shard, kind)
);
-- DER of signatures and serial numbers can't be compressed.
ALTER TABLE ca.crl_parts ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE OR REPLACE FUNCTION ca.crl_number_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.issuer, NEW.shard, NEW.kind) IS DISTINCT FROM (OLD.issuer, OLD.shard, OLD.kind)
    OR NEW.number <= OLD.number OR NEW.change_count < OLD.change_count
  THEN
    RAISE EXCEPTION 'a CRL number only grows, and no revocation is forgotten' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ca.crl_numbers_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.issuer, NEW.shard) IS DISTINCT FROM (OLD.issuer, OLD.shard) OR NEW.number <= OLD.number
    OR NEW.base_number < OLD.base_number OR NEW.base_change_count < OLD.base_change_count
  THEN
    RAISE EXCEPTION 'a CRL number only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- The one way in: judges the change, numbers it, and keeps what stands now.
CREATE FUNCTION ca.record_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  before text;
  old_bytes bigint := 0;
  old_count bigint := 0;
  new_bytes bigint := 0;
  new_count bigint := 0;
BEGIN
  SELECT issuer INTO STRICT NEW.issuer FROM ca.certificates WHERE serial_number = NEW.serial_number AND state = 'issued'
    FOR NO KEY UPDATE;
  SELECT status INTO before FROM ca.status_changes WHERE serial_number = NEW.serial_number ORDER BY number DESC LIMIT 1;
  IF coalesce(before, 'good') = NEW.status OR before = 'revoked' THEN
    RAISE EXCEPTION 'a certificate that is % can not become %', coalesce(before, 'good'), NEW.status
      USING ERRCODE = 'restrict_violation';
  END IF;
  -- Of random bytes; 1 shard where nothing is said. The same as revocation/shards.ts.
  NEW.shard := (get_byte(NEW.serial_number, 14) * 256 + get_byte(NEW.serial_number, 15))
    % coalesce((SELECT shards FROM ca.crl_partitions WHERE issuer = NEW.issuer), 1);
  SELECT 1, length(entry) INTO old_count, old_bytes FROM ca.revocations WHERE serial_number = NEW.serial_number;
  IF NEW.status <> 'good' THEN
    new_count := 1;
    new_bytes := length(NEW.entry);
  END IF;
  INSERT INTO ca.crl_scopes AS scope (issuer, shard, change_count, entry_count, entry_bytes)
    VALUES (NEW.issuer, NEW.shard, 1, new_count, new_bytes)
    ON CONFLICT (issuer, shard) DO UPDATE SET
      change_count = scope.change_count + 1,
      entry_count = scope.entry_count + new_count - coalesce(old_count, 0),
      entry_bytes = scope.entry_bytes + new_bytes - coalesce(old_bytes, 0)
    RETURNING change_count INTO NEW.number;
  IF NEW.status = 'good' THEN
    DELETE FROM ca.revocations WHERE serial_number = NEW.serial_number;
  ELSE
    INSERT INTO ca.revocations
        (serial_number, issuer, shard, change_number, reason, revoked_at, invalidity_date, entry)
      VALUES (NEW.serial_number, NEW.issuer, NEW.shard, NEW.number, NEW.reason, NEW.changed_at, NEW.invalidity_date,
        NEW.entry)
      ON CONFLICT (serial_number) DO UPDATE SET change_number = excluded.change_number, reason = excluded.reason,
        revoked_at = excluded.revoked_at, invalidity_date = excluded.invalidity_date, entry = excluded.entry,
        recorded_at = excluded.recorded_at;
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ca.only_by_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- 1: this trigger, of a statement somebody sent. Within record_status_change it is 2.
  IF TG_OP = 'TRUNCATE' OR pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION '% on ca.% is refused: it follows ca.status_changes', TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER revocations_insert ON ca.revocations;
DROP FUNCTION ca.count_revocation();
CREATE TRIGGER revocations_change BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ca.revocations FOR EACH STATEMENT EXECUTE FUNCTION ca.only_by_status_change();
CREATE TRIGGER status_changes_insert BEFORE INSERT ON ca.status_changes FOR EACH ROW EXECUTE FUNCTION ca.record_status_change();
CREATE TRIGGER status_changes_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ca.status_changes FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
CREATE TRIGGER crl_scopes_change BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ca.crl_scopes FOR EACH STATEMENT EXECUTE FUNCTION ca.only_by_status_change();
CREATE TRIGGER crl_numbers_update BEFORE UPDATE ON ca.crl_numbers FOR EACH ROW EXECUTE FUNCTION ca.crl_numbers_grow();
CREATE TRIGGER crl_numbers_delete BEFORE DELETE OR TRUNCATE ON ca.crl_numbers FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
CREATE TRIGGER crl_partitions_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ca.crl_partitions FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();

-- What counted revocations before.
CREATE OR REPLACE FUNCTION ca.authority_keeps_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.name, NEW.certificate, NEW.created_at) IS DISTINCT FROM (OLD.name, OLD.certificate, OLD.created_at) THEN
    RAISE EXCEPTION 'an authority keeps its certificate' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
ALTER TABLE ca.authorities DROP COLUMN revocation_count;
