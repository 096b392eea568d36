-- Later certificates of an authority, of the same name and key: the newest counts. The first stays in ca.authorities.
CREATE TABLE ca.authority_certificates (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  authority   text        NOT NULL REFERENCES ca.authorities (name),
  certificate bytea       NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX authority_certificates_authority ON ca.authority_certificates (authority, id DESC);
CREATE TRIGGER authority_certificates_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ca.authority_certificates FOR EACH STATEMENT EXECUTE FUNCTION ca.refuse_change();
