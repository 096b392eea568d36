-- Which TPM a device is, what its TPM stated of its cards' keys, and how devices sign in with a key of their TPM.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "attestation" TEXT NOT NULL DEFAULT 'preferred';

-- AlterTable
ALTER TABLE "cards" ADD COLUMN     "index_name" TEXT;

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "attestation" TEXT NOT NULL DEFAULT 'unattested',
ADD COLUMN     "attestation_code" TEXT,
ADD COLUMN     "attested_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "device_identities" (
    "device_id" UUID NOT NULL,
    "attestation_key_name" TEXT NOT NULL,
    "attestation_key" BYTEA NOT NULL,
    "certificate" BYTEA NOT NULL,
    "certificate_digest" TEXT NOT NULL,
    "root_digest" TEXT NOT NULL,
    "manufacturer" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "firmware" TEXT NOT NULL,
    "storage_key" BYTEA NOT NULL,
    "attested_at" TIMESTAMPTZ(3) NOT NULL,
    "changed_at" TIMESTAMPTZ(3),

    CONSTRAINT "device_identities_pkey" PRIMARY KEY ("device_id")
);

-- CreateTable
CREATE TABLE "attestations" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "attestation_key_name" TEXT NOT NULL,
    "attestation_key" BYTEA NOT NULL,
    "certificate" BYTEA NOT NULL,
    "certificate_digest" TEXT NOT NULL,
    "root_digest" TEXT NOT NULL,
    "manufacturer" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "firmware" TEXT NOT NULL,
    "credential_hash" BYTEA NOT NULL,
    "nonce" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "activated_at" TIMESTAMPTZ(3),

    CONSTRAINT "attestations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "evidence_nonces" (
    "nonce" BYTEA NOT NULL,
    "device_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "evidence_nonces_pkey" PRIMARY KEY ("nonce")
);

-- CreateTable
CREATE TABLE "attestation_evidence" (
    "id" UUID NOT NULL,
    "certificate_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "verdict" TEXT NOT NULL,
    "code" TEXT,
    "judged_at" TIMESTAMPTZ(3) NOT NULL,
    "nonce" BYTEA NOT NULL,
    "attestation_key" BYTEA,
    "key_public" BYTEA NOT NULL,
    "creation_data" BYTEA NOT NULL,
    "key_statement" BYTEA NOT NULL,
    "key_signature" BYTEA NOT NULL,
    "index_statement" BYTEA NOT NULL,
    "index_signature" BYTEA NOT NULL,

    CONSTRAINT "attestation_evidence_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "administrator_key_names" (
    "card_id" UUID NOT NULL,
    "key_version" INTEGER NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "administrator_key_names_pkey" PRIMARY KEY ("card_id","key_version")
);

-- CreateTable
CREATE TABLE "device_access_tokens" (
    "token_hash" BYTEA NOT NULL,
    "device_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "device_access_tokens_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "device_assertions" (
    "device_id" UUID NOT NULL,
    "jti" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "device_assertions_pkey" PRIMARY KEY ("device_id","jti")
);

-- CreateIndex
CREATE INDEX "device_identities_attestation_key_name_idx" ON "device_identities"("attestation_key_name");

-- CreateIndex
CREATE INDEX "device_identities_certificate_digest_idx" ON "device_identities"("certificate_digest");

-- CreateIndex
CREATE INDEX "attestations_device_id_created_at_idx" ON "attestations"("device_id", "created_at");

-- CreateIndex
CREATE INDEX "evidence_nonces_device_id_expires_at_idx" ON "evidence_nonces"("device_id", "expires_at");

-- CreateIndex
CREATE INDEX "attestation_evidence_certificate_id_id_idx" ON "attestation_evidence"("certificate_id", "id");

-- CreateIndex
CREATE INDEX "attestation_evidence_device_id_id_idx" ON "attestation_evidence"("device_id", "id");

-- CreateIndex
CREATE INDEX "device_access_tokens_device_id_expires_at_idx" ON "device_access_tokens"("device_id", "expires_at");

-- CreateIndex
CREATE INDEX "device_assertions_device_id_expires_at_idx" ON "device_assertions"("device_id", "expires_at");

-- AddForeignKey
ALTER TABLE "device_identities" ADD CONSTRAINT "device_identities_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attestations" ADD CONSTRAINT "attestations_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "evidence_nonces" ADD CONSTRAINT "evidence_nonces_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attestation_evidence" ADD CONSTRAINT "attestation_evidence_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "attestation_evidence" ADD CONSTRAINT "attestation_evidence_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "administrator_key_names" ADD CONSTRAINT "administrator_key_names_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_access_tokens" ADD CONSTRAINT "device_access_tokens_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "device_assertions" ADD CONSTRAINT "device_assertions_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "card_profiles"
  ADD CONSTRAINT "card_profiles_attestation" CHECK ("attestation" IN ('required', 'preferred', 'off'));
ALTER TABLE "cards"
  ADD CONSTRAINT "cards_index_name" CHECK ("index_name" ~ '^000b[0-9a-f]{64}$');
ALTER TABLE "certificates"
  ADD CONSTRAINT "certificates_attestation" CHECK ("attestation" IN ('attested', 'unattested', 'refused')),
  ADD CONSTRAINT "certificates_attestation_whole" CHECK (
    ("attestation" = 'unattested') = ("attested_at" IS NULL) AND ("attestation" = 'refused') = ("attestation_code" IS NOT NULL)
  );
ALTER TABLE "attestation_evidence"
  ADD CONSTRAINT "attestation_evidence_verdict" CHECK (
    "verdict" IN ('attested', 'refused') AND ("verdict" = 'refused') = ("code" IS NOT NULL)
  );

-- Evidence is added and never changed: by nobody, whatever rights they have.
CREATE FUNCTION "refuse_change_of_attestation_evidence"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'attestation_evidence is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "attestation_evidence_append_only" BEFORE UPDATE OR DELETE ON "attestation_evidence"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_attestation_evidence"();
CREATE TRIGGER "attestation_evidence_no_truncate" BEFORE TRUNCATE ON "attestation_evidence"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_attestation_evidence"();
