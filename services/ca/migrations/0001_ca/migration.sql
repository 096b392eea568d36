-- The embedded CA's own record. Only the ca process writes here. What was issued or revoked can't be changed or removed
-- by its role: triggers refuse it, whatever the process is made to ask.

CREATE SCHEMA IF NOT EXISTS ca;

-- The authorities whose keys the CA holds, and what counts for their CRLs.
CREATE TABLE ca.authorities (
  name             text        PRIMARY KEY CHECK (name IN ('root', 'issuing')),
  certificate      bytea       NOT NULL,
  -- Kept by a trigger on ca.revocations: a CRL that covers fewer is out of date.
  revocation_count bigint      NOT NULL DEFAULT 0,
  created_at       timestamptz NOT NULL DEFAULT now()
);

-- A row is proposed, with the very body that will be signed, before it is signed. No certificate without its record.
CREATE TABLE ca.certificates (
  serial_number  bytea       PRIMARY KEY CHECK (length(serial_number) = 16),
  request_id     text        NOT NULL UNIQUE CHECK (length(request_id) BETWEEN 1 AND 128),
  -- SHA-256 of what was asked for: the same request id with another request is refused.
  request_sha256 bytea       NOT NULL CHECK (length(request_sha256) = 32),
  issuer         text        NOT NULL REFERENCES ca.authorities (name),
  profile        text        NOT NULL,
  state          text        NOT NULL CHECK (state IN ('proposed', 'issued')),
  body           bytea,
  certificate    bytea,
  not_before     timestamptz NOT NULL,
  not_after      timestamptz NOT NULL,
  proposed_at    timestamptz NOT NULL DEFAULT now(),
  issued_at      timestamptz,
  CHECK (not_before < not_after),
  CHECK (
    (state = 'proposed' AND body IS NOT NULL AND certificate IS NULL AND issued_at IS NULL) OR
    (state = 'issued' AND body IS NULL AND certificate IS NOT NULL AND issued_at IS NOT NULL)
  )
);

CREATE TABLE ca.revocations (
  serial_number bytea       PRIMARY KEY REFERENCES ca.certificates (serial_number),
  issuer        text        NOT NULL REFERENCES ca.authorities (name),
  reason        text        NOT NULL CHECK (reason IN (
    'unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', 'privilegeWithdrawn')),
  revoked_at    timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX revocations_issuer ON ca.revocations (issuer);

-- The current CRL of each authority. Its row is locked while the next one is made, so that numbers only grow, whatever
-- the number of processes.
CREATE TABLE ca.crls (
  issuer           text        PRIMARY KEY REFERENCES ca.authorities (name),
  number           bigint      NOT NULL CHECK (number >= 1),
  this_update      timestamptz NOT NULL,
  next_update      timestamptz NOT NULL,
  revocation_count bigint      NOT NULL,
  crl              bytea       NOT NULL
);

CREATE FUNCTION ca.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on ca.% is refused: it is a record', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ca.certificate_issued_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'proposed' OR NEW.state <> 'issued'
    OR (NEW.serial_number, NEW.request_id, NEW.request_sha256, NEW.issuer, NEW.profile, NEW.not_before, NEW.not_after, NEW.proposed_at)
      IS DISTINCT FROM
       (OLD.serial_number, OLD.request_id, OLD.request_sha256, OLD.issuer, OLD.profile, OLD.not_before, OLD.not_after, OLD.proposed_at)
  THEN
    RAISE EXCEPTION 'a certificate goes from proposed to issued once, and nothing else of it changes'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ca.authority_keeps_certificate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.name, NEW.certificate, NEW.created_at) IS DISTINCT FROM (OLD.name, OLD.certificate, OLD.created_at)
    OR NEW.revocation_count < OLD.revocation_count
  THEN
    RAISE EXCEPTION 'an authority keeps its certificate' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ca.crl_number_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.issuer <> OLD.issuer OR NEW.number <= OLD.number OR NEW.revocation_count < OLD.revocation_count THEN
    RAISE EXCEPTION 'a CRL number only grows, and no revocation is forgotten' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ca.count_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ca.authorities SET revocation_count = revocation_count + 1 WHERE name = NEW.issuer;
  RETURN NULL;
END $$;

CREATE TRIGGER authorities_update BEFORE UPDATE ON ca.authorities FOR EACH ROW EXECUTE FUNCTION ca.authority_keeps_certificate();
CREATE TRIGGER authorities_delete BEFORE DELETE OR TRUNCATE ON ca.authorities FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
CREATE TRIGGER certificates_update BEFORE UPDATE ON ca.certificates FOR EACH ROW EXECUTE FUNCTION ca.certificate_issued_once();
CREATE TRIGGER certificates_delete BEFORE DELETE OR TRUNCATE ON ca.certificates FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
CREATE TRIGGER revocations_insert AFTER INSERT ON ca.revocations FOR EACH ROW EXECUTE FUNCTION ca.count_revocation();
CREATE TRIGGER revocations_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ca.revocations FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
CREATE TRIGGER crls_update BEFORE UPDATE ON ca.crls FOR EACH ROW EXECUTE FUNCTION ca.crl_number_grows();
CREATE TRIGGER crls_delete BEFORE DELETE OR TRUNCATE ON ca.crls FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
