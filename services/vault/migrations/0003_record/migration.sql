-- The record becomes a chain: numbers without gaps, each entry's hash covers the one before it, and the vault signs the
-- last entry of every commit (record/entry.ts has the same hash). Rows from before are numbered anew and hashed as they
-- stand; the vault's next signature covers them.
ALTER TABLE vault.uses DISABLE TRIGGER USER;
ALTER TABLE vault.uses ALTER COLUMN id DROP IDENTITY;
ALTER TABLE vault.uses ALTER COLUMN at DROP DEFAULT;
ALTER TABLE vault.uses ADD COLUMN hash bytea CHECK (octet_length(hash) = 32);

CREATE FUNCTION vault.hash_field(content bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE WHEN content IS NULL THEN '\xffffffff'::bytea ELSE int4send(octet_length(content)) || content END $$;

DO $$
DECLARE
  used record;
  number bigint := 0;
  chained bytea := decode(repeat('00', 32), 'hex');
BEGIN
  FOR used IN SELECT * FROM vault.uses ORDER BY id LOOP
    number := number + 1;
    chained := sha256(
      chained || int8send(number) || int8send((extract(epoch FROM used.at) * 1000000)::bigint)
      || vault.hash_field(convert_to(used.operation, 'UTF8'))
      || vault.hash_field(convert_to(used.card_id::text, 'UTF8'))
      || vault.hash_field(convert_to(used.key_version::text, 'UTF8'))
      || vault.hash_field(convert_to(used.requested_by, 'UTF8'))
      || vault.hash_field(convert_to(used.request_id, 'UTF8'))
      || vault.hash_field(used.challenge_sha256)
      || vault.hash_field(convert_to(used.outcome, 'UTF8')));
    UPDATE vault.uses SET id = number, hash = chained WHERE id = used.id;
  END LOOP;
END $$;

DROP FUNCTION vault.hash_field(bytea);
ALTER TABLE vault.uses ALTER COLUMN hash SET NOT NULL;
ALTER TABLE vault.uses ADD CHECK (id > 0);
ALTER TABLE vault.uses ENABLE TRIGGER USER;

-- Ed25519 by a key of the vault: over the entry `through` and so, by the chain, over all before it.
CREATE TABLE vault.record_signatures (
  through bigint PRIMARY KEY,
  key_version integer NOT NULL CHECK (key_version > 0),
  signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);

-- What somebody should be told of. `id` is the number of the entry in the record that says what happened: so alerts come
-- in the order of their numbers, and a reader that remembers the last one misses none.
CREATE TABLE vault.alerts (
  id bigint PRIMARY KEY,
  code text NOT NULL
);

CREATE TRIGGER record_signatures_append_only BEFORE UPDATE OR DELETE ON vault.record_signatures
  FOR EACH ROW EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER record_signatures_no_truncate BEFORE TRUNCATE ON vault.record_signatures
  FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER alerts_append_only BEFORE UPDATE OR DELETE ON vault.alerts
  FOR EACH ROW EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER alerts_no_truncate BEFORE TRUNCATE ON vault.alerts
  FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
