-- Secrets beside the keys of cards: keys that several cards depend on (uniform keys, masters of fleets from elsewhere), keys
-- that live until their card is confirmed and no longer (random-not-stored), and PUKs.
CREATE TABLE vault.secrets (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('uniform-key', 'an10922-master', 'dogtag-master', 'transient-key', 'puk',
                                     'fingerprint-key')),
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9/-]{1,63}$'),
  card_id uuid,
  algorithm text CHECK (algorithm IN ('tdes', 'aes-128', 'aes-192', 'aes-256')),
  kcv text CHECK (kcv ~ '^[0-9A-F]{6}$'),
  kek_version integer NOT NULL CHECK (kek_version > 0),
  sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 32 AND 512),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  shown_at timestamptz,
  UNIQUE (kind, name),
  CHECK ((card_id IS NOT NULL) = (kind IN ('transient-key', 'puk'))),
  CHECK ((algorithm IS NOT NULL) = (kind IN ('uniform-key', 'an10922-master', 'dogtag-master'))),
  CHECK (shown_at IS NULL OR kind = 'puk')
);

CREATE INDEX secrets_card ON vault.secrets (card_id) WHERE card_id IS NOT NULL;
CREATE INDEX secrets_kek ON vault.secrets (kek_version, id);

-- A row may be re-wrapped; a PUK is marked as shown, once. A key that no card can have any more is dropped.
CREATE FUNCTION vault.guard_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.kind = 'transient-key' THEN
    RETURN OLD;
  END IF;
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'secrets that a card may need are never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (to_jsonb(OLD) - '{kek_version,sealed,shown_at}'::text[])
     IS DISTINCT FROM (to_jsonb(NEW) - '{kek_version,sealed,shown_at}'::text[])
     OR (OLD.sealed IS DISTINCT FROM NEW.sealed AND OLD.kek_version = NEW.kek_version)
     OR (OLD.shown_at IS NOT NULL AND NEW.shown_at IS DISTINCT FROM OLD.shown_at) THEN
    RAISE EXCEPTION 'the facts of a secret do not change' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER secrets_guard BEFORE UPDATE OR DELETE ON vault.secrets
  FOR EACH ROW EXECUTE FUNCTION vault.guard_secret();
CREATE TRIGGER secrets_no_truncate BEFORE TRUNCATE ON vault.secrets
  FOR EACH STATEMENT EXECUTE FUNCTION vault.guard_secret();
CREATE TRIGGER secrets_active_kek_insert BEFORE INSERT ON vault.secrets
  FOR EACH ROW EXECUTE FUNCTION vault.require_active_kek();
CREATE TRIGGER secrets_active_kek_update BEFORE UPDATE ON vault.secrets
  FOR EACH ROW WHEN (OLD.kek_version IS DISTINCT FROM NEW.kek_version OR OLD.sealed IS DISTINCT FROM NEW.sealed)
  EXECUTE FUNCTION vault.require_active_kek();

CREATE OR REPLACE FUNCTION vault.kek_in_use(wanted integer) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM vault.administrator_keys WHERE kek_version = wanted)
      OR EXISTS (SELECT 1 FROM vault.secrets WHERE kek_version = wanted)
$$;

-- Which secret a key comes from, where its own row holds none; the row's seal binds the same.
ALTER TABLE vault.administrator_keys
  ADD COLUMN source_id uuid,
  ADD COLUMN derivation text CHECK (derivation IN ('an10922', 'dogtag')),
  ADD COLUMN diversifier bytea CHECK (octet_length(diversifier) BETWEEN 1 AND 31),
  -- Keyed hash of an imported key, by a key of the vault: equal for equal keys, and of no use without that key.
  ADD COLUMN fingerprint bytea CHECK (octet_length(fingerprint) = 32);
ALTER TABLE vault.administrator_keys DROP CONSTRAINT administrator_keys_strategy_check;
ALTER TABLE vault.administrator_keys DROP CONSTRAINT administrator_keys_check;
ALTER TABLE vault.administrator_keys
  ADD CONSTRAINT administrator_keys_strategy_check
    CHECK (strategy IN ('uniform', 'random-not-stored', 'random-stored', 'deterministic')),
  ADD CONSTRAINT administrator_keys_source_check CHECK (
    CASE strategy
      WHEN 'random-stored' THEN master_version IS NULL AND source_id IS NULL
      WHEN 'deterministic' THEN (master_version IS NULL) = (source_id IS NOT NULL)
                            AND (source_id IS NULL) = (derivation IS NULL)
      ELSE master_version IS NULL AND source_id IS NOT NULL AND derivation IS NULL
    END),
  ADD CONSTRAINT administrator_keys_derivation_whole CHECK ((derivation IS NULL) = (diversifier IS NULL));

CREATE INDEX administrator_keys_source ON vault.administrator_keys (source_id, card_id) WHERE source_id IS NOT NULL;
CREATE INDEX administrator_keys_fingerprint ON vault.administrator_keys (fingerprint) WHERE fingerprint IS NOT NULL;

-- Confirming a version drops, in the same transaction, every transient key of the card: those of versions that came to
-- nothing, and, by the strategy random-not-stored, the one that the card now has.
CREATE FUNCTION vault.drop_transient_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM vault.secrets WHERE kind = 'transient-key' AND card_id = NEW.card_id;
  RETURN NULL;
END $$;

CREATE TRIGGER administrator_keys_drop_transient AFTER UPDATE ON vault.administrator_keys
  FOR EACH ROW WHEN (OLD.state <> 'confirmed' AND NEW.state = 'confirmed')
  EXECUTE FUNCTION vault.drop_transient_keys();

-- One row an import of many keys: all of its keys are stored with it, or none.
CREATE TABLE vault.import_batches (
  id uuid PRIMARY KEY,
  -- Of what was asked, seals and all: the same id with other content is refused.
  content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
  keys integer NOT NULL CHECK (keys > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION vault.add_imported(keys jsonb, puks jsonb) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  added integer;
BEGIN
  INSERT INTO vault.administrator_keys (card_id, key_version, algorithm, strategy, state, kek_version, sealed, kcv,
      source_id, derivation, diversifier, fingerprint, confirmed_at)
    SELECT k.card_id, 1, k.algorithm, k.strategy, 'confirmed', k.kek_version, decode(k.sealed, 'hex'), k.kcv,
      k.source_id, k.derivation, decode(k.diversifier, 'hex'), decode(k.fingerprint, 'hex'), clock_timestamp()
    FROM jsonb_to_recordset(keys) AS k (card_id uuid, algorithm text, strategy text, kek_version integer, sealed text,
      kcv text, source_id uuid, derivation text, diversifier text, fingerprint text);
  GET DIAGNOSTICS added = ROW_COUNT;
  INSERT INTO vault.secrets (id, kind, name, card_id, kek_version, sealed)
    SELECT p.id, 'puk', p.card_id::text, p.card_id, p.kek_version, decode(p.sealed, 'hex')
    FROM jsonb_to_recordset(puks) AS p (id uuid, card_id uuid, kek_version integer, sealed text);
  RETURN added;
END $$;
