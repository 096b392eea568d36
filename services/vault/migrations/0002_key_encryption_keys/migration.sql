-- Which key-encryption keys there are, and which of them seals what is new. Vault processes and the commands that rotate
-- keys or move them to another provider agree through this table. It holds no key.
CREATE TABLE vault.key_encryption_keys (
  version integer PRIMARY KEY CHECK (version > 0),
  -- Which provider holds it. A version number is used once, over all providers.
  provider text NOT NULL CHECK (provider IN ('file', 'pkcs11')),
  -- active: seals. retiring: still opens, and seals nothing any more. retired: nothing is sealed with it.
  state text NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at timestamptz,
  -- When its provider had it destroyed.
  destroyed_at timestamptz,
  CHECK ((state = 'retired') = (retired_at IS NOT NULL)),
  CHECK (destroyed_at IS NULL OR state = 'retired')
);

CREATE UNIQUE INDEX key_encryption_keys_one_active ON vault.key_encryption_keys (state) WHERE state = 'active';

INSERT INTO vault.key_encryption_keys (version, provider, state)
  SELECT kek_version, 'file', CASE WHEN kek_version = max(kek_version) OVER () THEN 'active' ELSE 'retiring' END
  FROM (SELECT DISTINCT kek_version FROM vault.administrator_keys) AS used;

-- Re-wrapping walks the rows that are not sealed with the active KEK.
CREATE INDEX administrator_keys_kek ON vault.administrator_keys (kek_version, card_id, key_version);

-- True as long as anything at all is sealed with that version. A table that is added, and holds sealed rows, is added here.
CREATE FUNCTION vault.kek_in_use(wanted integer) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM vault.administrator_keys WHERE kek_version = wanted)
$$;

CREATE FUNCTION vault.guard_key_encryption_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'key-encryption keys are never forgotten' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.version, OLD.provider, OLD.created_at) IS DISTINCT FROM (NEW.version, NEW.provider, NEW.created_at)
     OR (OLD.state, NEW.state) NOT IN (('active', 'active'), ('active', 'retiring'), ('retiring', 'retiring'),
                                       ('retiring', 'retired'), ('retired', 'retired'))
     OR (OLD.destroyed_at IS NOT NULL AND NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at) THEN
    RAISE EXCEPTION 'a key-encryption key goes from active to retiring to retired' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state = 'retired' AND vault.kek_in_use(OLD.version) THEN
    RAISE EXCEPTION 'key-encryption key % still seals something', OLD.version USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER key_encryption_keys_guard BEFORE UPDATE OR DELETE ON vault.key_encryption_keys
  FOR EACH ROW EXECUTE FUNCTION vault.guard_key_encryption_key();
CREATE TRIGGER key_encryption_keys_no_truncate BEFORE TRUNCATE ON vault.key_encryption_keys
  FOR EACH STATEMENT EXECUTE FUNCTION vault.guard_key_encryption_key();

-- What is sealed is sealed with the active KEK. The share lock makes "retiring" wait for whoever is about to commit a row
-- that was sealed before: once it is set, no further row of the old version can come. CW001 tells a vault process to look
-- at this table again. For any table with a kek_version.
CREATE FUNCTION vault.require_active_kek() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM vault.key_encryption_keys WHERE version = NEW.kek_version AND state = 'active' FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'key-encryption key % is not the active one', NEW.kek_version USING ERRCODE = 'CW001';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER administrator_keys_active_kek_insert BEFORE INSERT ON vault.administrator_keys
  FOR EACH ROW EXECUTE FUNCTION vault.require_active_kek();
CREATE TRIGGER administrator_keys_active_kek_update BEFORE UPDATE ON vault.administrator_keys
  FOR EACH ROW WHEN (OLD.kek_version IS DISTINCT FROM NEW.kek_version OR OLD.sealed IS DISTINCT FROM NEW.sealed)
  EXECUTE FUNCTION vault.require_active_kek();

-- As before, and besides: a row may be re-wrapped, which changes its KEK version (to the active one: above) together with
-- its seal, and nothing else, whatever its state.
CREATE OR REPLACE FUNCTION vault.guard_administrator_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'administrator keys are never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.kek_version <> NEW.kek_version
     AND (to_jsonb(OLD) - '{kek_version,sealed}'::text[]) = (to_jsonb(NEW) - '{kek_version,sealed}'::text[]) THEN
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - '{state,confirmed_at,first_write_nv_index,first_write_nonce,first_write_at}'::text[])
     IS DISTINCT FROM
     (to_jsonb(NEW) - '{state,confirmed_at,first_write_nv_index,first_write_nonce,first_write_at}'::text[]) THEN
    RAISE EXCEPTION 'the facts of an administrator key do not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state = 'confirmed' THEN
    RAISE EXCEPTION 'a confirmed administrator key does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.first_write_nonce IS NOT NULL
     AND (OLD.first_write_nonce, OLD.first_write_nv_index, OLD.first_write_at)
         IS DISTINCT FROM (NEW.first_write_nonce, NEW.first_write_nv_index, NEW.first_write_at) THEN
    RAISE EXCEPTION 'a first write is signed once' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
