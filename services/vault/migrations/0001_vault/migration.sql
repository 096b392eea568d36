CREATE SCHEMA IF NOT EXISTS vault;

-- One row a version of a card's administrator key. A row is never deleted: what a card may still hold is never forgotten.
CREATE TABLE vault.administrator_keys (
  card_id uuid NOT NULL,
  key_version integer NOT NULL CHECK (key_version > 0),
  algorithm text NOT NULL CHECK (algorithm IN ('tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256')),
  strategy text NOT NULL CHECK (strategy IN ('random-stored', 'deterministic')),
  state text NOT NULL CHECK (state IN ('proposed', 'confirmed')),
  kek_version integer NOT NULL CHECK (kek_version > 0),
  -- Which master secret a deterministic key is derived from.
  master_version integer CHECK (master_version > 0),
  -- random-stored: the key, sealed. deterministic: nothing, sealed, which still proves the facts of the row.
  sealed bytea NOT NULL CHECK (octet_length(sealed) BETWEEN 32 AND 512),
  kcv text CHECK (kcv ~ '^[0-9A-F]{6}$'),
  tpm_name bytea CHECK (octet_length(tpm_name) = 34),
  pin_limit integer CHECK (pin_limit BETWEEN 1 AND 100),
  first_write_nv_index bigint,
  first_write_nonce bytea CHECK (octet_length(first_write_nonce) = 16),
  first_write_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  confirmed_at timestamptz,
  PRIMARY KEY (card_id, key_version),
  CHECK ((strategy = 'deterministic') = (master_version IS NOT NULL)),
  CHECK ((algorithm = 'hmac-sha256') = (tpm_name IS NOT NULL)),
  CHECK ((algorithm = 'hmac-sha256') = (pin_limit IS NOT NULL)),
  CHECK ((algorithm = 'hmac-sha256') = (kcv IS NULL)),
  CHECK ((first_write_nonce IS NULL) = (first_write_nv_index IS NULL)),
  CHECK ((first_write_nonce IS NULL) = (first_write_at IS NULL)),
  CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL))
);

CREATE UNIQUE INDEX administrator_keys_one_confirmed ON vault.administrator_keys (card_id) WHERE state = 'confirmed';
CREATE INDEX administrator_keys_newest ON vault.administrator_keys (created_at DESC);

-- What may change in a row: it is confirmed once, and its first write is signed once. A second signature of a first
-- write hands the card over (the NV Name does not cover the PIN), so the database refuses it as well.
CREATE FUNCTION vault.guard_administrator_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'administrator keys are never deleted' USING ERRCODE = 'restrict_violation';
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

CREATE TRIGGER administrator_keys_guard BEFORE UPDATE OR DELETE ON vault.administrator_keys
  FOR EACH ROW EXECUTE FUNCTION vault.guard_administrator_key();
CREATE TRIGGER administrator_keys_no_truncate BEFORE TRUNCATE ON vault.administrator_keys
  FOR EACH STATEMENT EXECUTE FUNCTION vault.guard_administrator_key();

-- The vault's own record: what was asked of it, committed before it is answered. Only ever added to.
CREATE TABLE vault.uses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  operation text NOT NULL,
  card_id uuid NOT NULL,
  key_version integer,
  requested_by text NOT NULL,
  request_id text NOT NULL,
  -- SHA-256 of what was to be answered or signed, where there is such a thing.
  challenge_sha256 bytea CHECK (octet_length(challenge_sha256) = 32),
  -- 'done', or the code of the refusal.
  outcome text NOT NULL
);

CREATE INDEX uses_card ON vault.uses (card_id, id);

CREATE FUNCTION vault.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the record of uses is only added to' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER uses_append_only BEFORE UPDATE OR DELETE ON vault.uses
  FOR EACH ROW EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER uses_no_truncate BEFORE TRUNCATE ON vault.uses
  FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
