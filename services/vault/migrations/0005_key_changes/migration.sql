-- A card's administrator key changes: another version is proposed to follow the confirmed one, and when it is known to be on
-- the card it is confirmed, which supersedes every other version and destroys what is sealed of them.
ALTER TABLE vault.administrator_keys
  -- Name of the storage key that this version was wrapped to. Unknown of versions from before.
  ADD COLUMN parent_name bytea CHECK (octet_length(parent_name) = 34),
  -- The version that was confirmed when this one was proposed to follow it.
  ADD COLUMN predecessor integer CHECK (predecessor > 0),
  -- TPM cards: how many keys came before it, and what the card's index was founded with, which stays.
  ADD COLUMN generation integer CHECK (generation BETWEEN 1 AND 16),
  ADD COLUMN founding_name bytea CHECK (octet_length(founding_name) = 34),
  ADD COLUMN founding_nv_index bigint,
  ADD COLUMN superseded_at timestamptz,
  -- Both are absent once the version is superseded: what was sealed is destroyed.
  ALTER COLUMN sealed DROP NOT NULL,
  ALTER COLUMN kek_version DROP NOT NULL;

ALTER TABLE vault.administrator_keys
  DROP CONSTRAINT administrator_keys_state_check,
  DROP CONSTRAINT administrator_keys_check6,
  ADD CONSTRAINT administrator_keys_state_check CHECK (state IN ('proposed', 'confirmed', 'superseded')),
  ADD CONSTRAINT administrator_keys_confirmed_whole CHECK (
    CASE state WHEN 'proposed' THEN confirmed_at IS NULL WHEN 'confirmed' THEN confirmed_at IS NOT NULL ELSE true END),
  ADD CONSTRAINT administrator_keys_superseded_whole CHECK (
    (state = 'superseded') = (superseded_at IS NOT NULL)
    AND (state = 'superseded') = (sealed IS NULL)
    AND (state = 'superseded') = (kek_version IS NULL)),
  ADD CONSTRAINT administrator_keys_follows CHECK (predecessor < key_version AND
    (predecessor IS NULL OR (first_write_nonce IS NULL AND parent_name IS NOT NULL))),
  ADD CONSTRAINT administrator_keys_lineage_whole CHECK (
    (generation IS NULL) = (founding_name IS NULL) AND (generation IS NULL) = (founding_nv_index IS NULL)
    AND (generation IS NOT NULL) = (predecessor IS NOT NULL AND algorithm = 'hmac-sha256'));

-- What a row may become, and nothing else:
--   re-wrapped (another KEK, with its seal), whatever its state but superseded;
--   proposed, and its first write signed, once, if it follows no other version;
--   confirmed; if it follows another version, only while that one is the confirmed one;
--   superseded, with its seal destroyed: only by the trigger below, as part of confirming another version.
CREATE OR REPLACE FUNCTION vault.guard_administrator_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changing CONSTANT text[] := '{state,confirmed_at,first_write_nv_index,first_write_nonce,first_write_at}';
  ending CONSTANT text[] := '{state,superseded_at,sealed,kek_version}';
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'administrator keys are never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.kek_version <> NEW.kek_version
     AND (to_jsonb(OLD) - '{kek_version,sealed}'::text[]) = (to_jsonb(NEW) - '{kek_version,sealed}'::text[]) THEN
    RETURN NEW;
  END IF;
  IF NEW.state = 'superseded' AND OLD.state IN ('proposed', 'confirmed') AND pg_trigger_depth() > 1
     AND (to_jsonb(OLD) - ending) = (to_jsonb(NEW) - ending) THEN
    RETURN NEW;
  END IF;
  IF (to_jsonb(OLD) - changing) IS DISTINCT FROM (to_jsonb(NEW) - changing) THEN
    RAISE EXCEPTION 'the facts of an administrator key do not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state <> 'proposed' OR NEW.state NOT IN ('proposed', 'confirmed') THEN
    RAISE EXCEPTION 'a % administrator key does not change', OLD.state USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.first_write_nonce IS NOT NULL
     AND (OLD.first_write_nonce, OLD.first_write_nv_index, OLD.first_write_at)
         IS DISTINCT FROM (NEW.first_write_nonce, NEW.first_write_nv_index, NEW.first_write_at) THEN
    RAISE EXCEPTION 'a first write is signed once' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NEW.state = 'confirmed' AND NEW.predecessor IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM vault.administrator_keys p
       WHERE p.card_id = NEW.card_id AND p.key_version = NEW.predecessor AND p.state = 'confirmed') THEN
    RAISE EXCEPTION 'this version was to follow another one than the confirmed one' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- Whatever begins as superseded, or follows something that is not the confirmed version, was never proposed.
CREATE FUNCTION vault.guard_new_administrator_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'superseded' OR (NEW.predecessor IS NOT NULL AND (NEW.state <> 'proposed' OR NOT EXISTS (
       SELECT 1 FROM vault.administrator_keys p
       WHERE p.card_id = NEW.card_id AND p.key_version = NEW.predecessor AND p.state = 'confirmed'))) THEN
    RAISE EXCEPTION 'an administrator key is proposed to follow the confirmed one' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER administrator_keys_guard_new BEFORE INSERT ON vault.administrator_keys
  FOR EACH ROW EXECUTE FUNCTION vault.guard_new_administrator_key();

-- Before the row itself, so that there is never more than one confirmed version. Its name comes after that of the guard.
CREATE FUNCTION vault.supersede_administrator_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE vault.administrator_keys
    SET state = 'superseded', superseded_at = clock_timestamp(), sealed = NULL, kek_version = NULL
    WHERE card_id = NEW.card_id AND key_version <> NEW.key_version AND state <> 'superseded';
  RETURN NEW;
END $$;

CREATE TRIGGER administrator_keys_supersede BEFORE UPDATE ON vault.administrator_keys
  FOR EACH ROW WHEN (OLD.state = 'proposed' AND NEW.state = 'confirmed' AND NEW.predecessor IS NOT NULL)
  EXECUTE FUNCTION vault.supersede_administrator_keys();

-- What is destroyed needs no active KEK.
DROP TRIGGER administrator_keys_active_kek_update ON vault.administrator_keys;
CREATE TRIGGER administrator_keys_active_kek_update BEFORE UPDATE ON vault.administrator_keys
  FOR EACH ROW WHEN (NEW.state <> 'superseded'
    AND (OLD.kek_version IS DISTINCT FROM NEW.kek_version OR OLD.sealed IS DISTINCT FROM NEW.sealed))
  EXECUTE FUNCTION vault.require_active_kek();

-- The vault looks into its own record before it signs a first write, and before it uses a key: a row that was put back says
-- something else than the record.
CREATE INDEX uses_key_life ON vault.uses (card_id, key_version, id)
  WHERE outcome = 'done' AND operation IN ('key.make-for-tpm', 'tpm.first-write', 'key.propose-successor',
    'key.propose-replacement', 'key.confirm-change');
