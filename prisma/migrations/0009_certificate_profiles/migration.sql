-- What certificates say, and for whom: profiles in versions. Names of persons that accounts are found by.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "certificate_profile" TEXT DEFAULT 'smart-card-sign-in',
ADD COLUMN     "certificate_profile_version" INTEGER DEFAULT 1,
ADD COLUMN     "ignored_request" JSONB,
ADD COLUMN     "ordered" JSONB;

-- AlterTable
ALTER TABLE "people" ADD COLUMN     "kerberos_principal" TEXT,
ADD COLUMN     "organization" TEXT,
ADD COLUMN     "security_identifier" TEXT;

-- CreateTable
CREATE TABLE "certificate_profiles" (
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "authority" TEXT NOT NULL DEFAULT 'embedded',
    "key_types" TEXT[],
    "validity_seconds" INTEGER NOT NULL,
    "renewal_days" INTEGER,
    "renewal_key" TEXT NOT NULL DEFAULT 'same',
    "max_key_age_days" INTEGER,
    "attestation" TEXT,
    "container_default" TEXT,
    "people" JSONB,
    "names" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by_id" TEXT NOT NULL,
    "created_by_name" TEXT NOT NULL,

    CONSTRAINT "certificate_profiles_pkey" PRIMARY KEY ("name","version")
);

-- CreateIndex
CREATE UNIQUE INDEX "people_security_identifier_key" ON "people"("security_identifier");

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

-- Until now there was one profile, and every certificate is of it: the defaults above filled the rows that were there
-- without writing them anew, however many. There is no foreign key: rows of profiles are never changed nor removed, so a
-- reference once right stays right, and a key would take a lock on the one row of a busy profile at every issue.
ALTER TABLE "certificates"
  ALTER COLUMN "certificate_profile" DROP DEFAULT,
  ALTER COLUMN "certificate_profile_version" DROP DEFAULT,
  ADD CONSTRAINT "certificates_profile_whole" CHECK (("certificate_profile" IS NULL) = ("certificate_profile_version" IS NULL));

ALTER TABLE "people"
  ADD CONSTRAINT "people_security_identifier" CHECK ("security_identifier" ~ '^S-1-5-21(-[0-9]{1,10}){4}$'),
  ADD CONSTRAINT "people_kerberos_principal" CHECK ("kerberos_principal" ~ '^[^@/\\[:space:]]{1,128}@[^@/\\[:space:]]{1,127}$');
-- An account is one person's, whether its principal is said or follows from the user principal name. Without case: the
-- realm of what follows is in upper case.
CREATE UNIQUE INDEX "people_one_principal" ON "people" (COALESCE(lower("kerberos_principal"), "user_principal_name"));

ALTER TABLE "certificate_profiles"
  ADD CONSTRAINT "certificate_profiles_name" CHECK ("name" ~ '^[a-z0-9][a-z0-9-]{1,63}$'),
  ADD CONSTRAINT "certificate_profiles_version" CHECK ("version" > 0),
  ADD CONSTRAINT "certificate_profiles_kind" CHECK ("kind" IN ('smart-card-sign-in', 'tls-client', 'smime-signature',
    'smime-encryption', 'document-signature', 'volume-encryption', 'device')),
  ADD CONSTRAINT "certificate_profiles_key_types" CHECK (
    cardinality("key_types") > 0 AND "key_types" <@ ARRAY['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072']),
  ADD CONSTRAINT "certificate_profiles_validity" CHECK ("validity_seconds" BETWEEN 3600 AND 158111700),
  ADD CONSTRAINT "certificate_profiles_renewal" CHECK ("renewal_days" > 0 AND "renewal_days"::bigint * 86400 < "validity_seconds"),
  ADD CONSTRAINT "certificate_profiles_renewal_key" CHECK ("renewal_key" IN ('same', 'new')),
  ADD CONSTRAINT "certificate_profiles_key_age" CHECK ("max_key_age_days" > 0),
  ADD CONSTRAINT "certificate_profiles_attestation" CHECK ("attestation" IN ('required', 'preferred', 'off'));

-- What a certificate was issued by can be read for ever.
CREATE FUNCTION "refuse_change_of_certificate_profiles"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'certificate_profiles is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "certificate_profiles_append_only" BEFORE UPDATE OR DELETE ON "certificate_profiles"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_certificate_profiles"();
CREATE TRIGGER "certificate_profiles_no_truncate" BEFORE TRUNCATE ON "certificate_profiles"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_certificate_profiles"();

-- The profiles that the product comes with: one of each kind, by the name of the kind.
INSERT INTO "certificate_profiles"
  ("name", "version", "kind", "display_name", "key_types", "validity_seconds", "container_default", "names", "created_by_id", "created_by_name")
SELECT p."kind", 1, p."kind", p."display_name",
  CASE WHEN p."kind" = 'volume-encryption' THEN ARRAY['rsa-2048', 'rsa-3072'] ELSE ARRAY['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072'] END, 31536000, p."container",
  jsonb_build_object('userPrincipalName', p."upn", 'kerberosPrincipal', p."sign_in", 'email', p."email",
    'securityIdentifier', p."sign_in", 'organization', false), 'system', 'Cardwright'
FROM (VALUES
  ('smart-card-sign-in', 'Smart card sign-in', 'sign-in', true, true, 'if-any'),
  ('tls-client', 'TLS client', 'tls-client', true, false, 'if-any'),
  ('smime-signature', 'S/MIME signature', 'signature', false, false, 'required'),
  ('smime-encryption', 'S/MIME encryption', 'encryption', false, false, 'required'),
  ('document-signature', 'Document signature', 'document-signature', false, false, 'if-any'),
  ('volume-encryption', 'Data volume encryption', 'volume', true, false, 'if-any'),
  ('device', 'Device', 'device', false, false, 'none')
) AS p ("kind", "display_name", "container", "upn", "sign_in", "email");

-- How long a certificate lives is its profile's word now, where a card profile has not shortened it.
UPDATE "card_profiles" SET
  "containers" = '[{"container": "sign-in", "keyType": "ec-p256", "certificateProfile": "smart-card-sign-in"}]'
WHERE "containers" = '[{"container": "sign-in", "keyType": "ec-p256", "certificateProfile": "smart-card-sign-in", "validitySeconds": 31536000}]';
-- The PINs that many people choose are the first that a thief tries.
UPDATE "card_profiles" SET "pin_policy" = "pin_policy" || '{"refuseCommon": true}'
WHERE "name" IN ('tpm-default', 'tpm-derived', 'tpm-not-stored') AND NOT "pin_policy" ? 'refuseCommon';
