-- What a CSR asked for beyond its key, and was not taken.
ALTER TABLE ca.certificates ADD COLUMN ignored text[] NOT NULL DEFAULT '{}' CHECK (cardinality(ignored) <= 20);

CREATE OR REPLACE FUNCTION ca.certificate_issued_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'proposed' OR NEW.state <> 'issued'
    OR (NEW.serial_number, NEW.request_id, NEW.request_sha256, NEW.issuer, NEW.profile, NEW.not_before, NEW.not_after, NEW.proposed_at, NEW.ignored)
      IS DISTINCT FROM
       (OLD.serial_number, OLD.request_id, OLD.request_sha256, OLD.issuer, OLD.profile, OLD.not_before, OLD.not_after, OLD.proposed_at, OLD.ignored)
  THEN
    RAISE EXCEPTION 'a certificate goes from proposed to issued once, and nothing else of it changes'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
