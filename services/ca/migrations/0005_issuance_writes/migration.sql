-- Room on each page for what a proposal becomes: the row is then replaced where it stands, and no index is touched.
ALTER TABLE ca.certificates SET (fillfactor = 50);

-- The same rule as before, without a call for each row that keeps it.
DROP TRIGGER certificates_update ON ca.certificates;
CREATE OR REPLACE FUNCTION ca.certificate_issued_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a certificate goes from proposed to issued once, and nothing else of it changes'
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER certificates_update BEFORE UPDATE ON ca.certificates FOR EACH ROW
  WHEN (OLD.state <> 'proposed' OR NEW.state <> 'issued'
    OR (NEW.serial_number, NEW.request_id, NEW.request_sha256, NEW.issuer, NEW.profile, NEW.not_before, NEW.not_after, NEW.proposed_at, NEW.ignored)
      IS DISTINCT FROM
       (OLD.serial_number, OLD.request_id, OLD.request_sha256, OLD.issuer, OLD.profile, OLD.not_before, OLD.not_after, OLD.proposed_at, OLD.ignored))
  EXECUTE FUNCTION ca.certificate_issued_once();
