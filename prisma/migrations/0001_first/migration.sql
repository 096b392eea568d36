-- The records of cms. The first part is what prisma/schema.prisma says; the second is what it has no words for.

-- CreateTable
CREATE TABLE "people" (
    "id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "user_principal_name" TEXT NOT NULL,
    "email" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "people_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "devices" (
    "id" UUID NOT NULL,
    "host_name" TEXT NOT NULL,
    "platform" TEXT NOT NULL,
    "storage_key_name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "tpm" JSONB,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3),

    CONSTRAINT "devices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "card_profiles" (
    "name" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "key_strategy" TEXT NOT NULL,
    "pin_limit" INTEGER NOT NULL,
    "pin_policy" JSONB NOT NULL,
    "containers" JSONB NOT NULL,

    CONSTRAINT "card_profiles_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "cards" (
    "id" UUID NOT NULL,
    "serial" TEXT NOT NULL,
    "person_id" UUID NOT NULL,
    "device_id" UUID,
    "profile_name" TEXT,
    "kind" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "challenge_mode" TEXT NOT NULL DEFAULT 'ecb',
    "key_strategy" TEXT NOT NULL,
    "key_version" INTEGER,
    "state" TEXT NOT NULL,
    "nv_index" BIGINT,
    "pin_limit" INTEGER,
    "tries_left" INTEGER,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "state_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "cards_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "enrolments" (
    "id" UUID NOT NULL,
    "person_id" UUID NOT NULL,
    "profile_name" TEXT NOT NULL,
    "code_hash" BYTEA NOT NULL,
    "state" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "device_id" UUID,
    "card_id" UUID,
    "created_by_id" TEXT NOT NULL,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "enrolments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "unblock_sessions" (
    "id" UUID NOT NULL,
    "card_id" UUID NOT NULL,
    "origin" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "confirmation_code" TEXT,
    "challenge" TEXT,
    "challenge_hash" BYTEA,
    "response" TEXT,
    "verification" JSONB,
    "reason" TEXT,
    "ticket" TEXT,
    "opened_by_id" TEXT,
    "opened_by_name" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "answered_at" TIMESTAMPTZ(3),
    "closed_at" TIMESTAMPTZ(3),

    CONSTRAINT "unblock_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "certificates" (
    "id" UUID NOT NULL,
    "request_id" TEXT NOT NULL,
    "card_id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "person_id" UUID NOT NULL,
    "enrolment_id" UUID,
    "container" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "csr" BYTEA NOT NULL,
    "csr_hash" BYTEA NOT NULL,
    "serial_number" TEXT,
    "thumbprint" TEXT,
    "subject" TEXT,
    "issuer" TEXT,
    "not_before" TIMESTAMPTZ(3),
    "not_after" TIMESTAMPTZ(3),
    "der" BYTEA,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "certificates_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "revocations" (
    "id" UUID NOT NULL,
    "certificate_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "comment" TEXT NOT NULL,
    "ticket" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "confirmed_at" TIMESTAMPTZ(3),

    CONSTRAINT "revocations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operators" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "password_hash" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "disabled_at" TIMESTAMPTZ(3),

    CONSTRAINT "operators_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operator_sessions" (
    "token_hash" BYTEA NOT NULL,
    "operator_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "operator_sessions_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "api_tokens" (
    "token_hash" BYTEA NOT NULL,
    "operator_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_tokens_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "actor_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "body_hash" BYTEA NOT NULL,
    "status" INTEGER,
    "answer" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("actor_id","key")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "id" BIGSERIAL NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "actor_name" TEXT NOT NULL,
    "actor_role" TEXT,
    "action" TEXT NOT NULL,
    "object_kind" TEXT NOT NULL,
    "object_id" TEXT,
    "person_id" UUID,
    "device_id" UUID,
    "card_id" UUID,
    "certificate_id" UUID,
    "enrolment_id" UUID,
    "unblock_session_id" UUID,
    "outcome" TEXT NOT NULL,
    "code" TEXT,
    "reason" TEXT,
    "ticket" TEXT,
    "verification" JSONB,
    "before" JSONB,
    "after" JSONB,
    "request_id" TEXT NOT NULL,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "people_user_principal_name_key" ON "people"("user_principal_name");

-- CreateIndex
CREATE UNIQUE INDEX "devices_token_hash_key" ON "devices"("token_hash");

-- CreateIndex
CREATE INDEX "devices_storage_key_name_idx" ON "devices"("storage_key_name");

-- CreateIndex
CREATE INDEX "devices_host_name_idx" ON "devices"("host_name");

-- CreateIndex
CREATE UNIQUE INDEX "cards_serial_key" ON "cards"("serial");

-- CreateIndex
CREATE INDEX "cards_person_id_idx" ON "cards"("person_id");

-- CreateIndex
CREATE INDEX "cards_device_id_idx" ON "cards"("device_id");

-- CreateIndex
CREATE INDEX "cards_state_id_idx" ON "cards"("state", "id");

-- CreateIndex
CREATE UNIQUE INDEX "enrolments_code_hash_key" ON "enrolments"("code_hash");

-- CreateIndex
CREATE INDEX "enrolments_person_id_idx" ON "enrolments"("person_id");

-- CreateIndex
CREATE INDEX "enrolments_card_id_idx" ON "enrolments"("card_id");

-- CreateIndex
CREATE INDEX "unblock_sessions_card_id_id_idx" ON "unblock_sessions"("card_id", "id");

-- CreateIndex
CREATE INDEX "unblock_sessions_state_id_idx" ON "unblock_sessions"("state", "id");

-- CreateIndex
CREATE UNIQUE INDEX "unblock_sessions_card_id_challenge_hash_key" ON "unblock_sessions"("card_id", "challenge_hash");

-- CreateIndex
CREATE UNIQUE INDEX "certificates_request_id_key" ON "certificates"("request_id");

-- CreateIndex
CREATE UNIQUE INDEX "certificates_serial_number_key" ON "certificates"("serial_number");

-- CreateIndex
CREATE UNIQUE INDEX "certificates_thumbprint_key" ON "certificates"("thumbprint");

-- CreateIndex
CREATE INDEX "certificates_card_id_id_idx" ON "certificates"("card_id", "id");

-- CreateIndex
CREATE INDEX "certificates_device_id_id_idx" ON "certificates"("device_id", "id");

-- CreateIndex
CREATE INDEX "certificates_person_id_id_idx" ON "certificates"("person_id", "id");

-- CreateIndex
CREATE INDEX "certificates_status_id_idx" ON "certificates"("status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "revocations_certificate_id_key" ON "revocations"("certificate_id");

-- CreateIndex
CREATE INDEX "revocations_state_idx" ON "revocations"("state");

-- CreateIndex
CREATE UNIQUE INDEX "operators_name_key" ON "operators"("name");

-- CreateIndex
CREATE INDEX "operator_sessions_operator_id_idx" ON "operator_sessions"("operator_id");

-- CreateIndex
CREATE INDEX "api_tokens_operator_id_idx" ON "api_tokens"("operator_id");

-- CreateIndex
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");

-- CreateIndex
CREATE INDEX "audit_events_device_id_id_idx" ON "audit_events"("device_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_person_id_id_idx" ON "audit_events"("person_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_card_id_id_idx" ON "audit_events"("card_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_certificate_id_id_idx" ON "audit_events"("certificate_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_actor_id_id_idx" ON "audit_events"("actor_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_action_id_idx" ON "audit_events"("action", "id");

-- AddForeignKey
ALTER TABLE "cards" ADD CONSTRAINT "cards_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cards" ADD CONSTRAINT "cards_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cards" ADD CONSTRAINT "cards_profile_name_fkey" FOREIGN KEY ("profile_name") REFERENCES "card_profiles"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_profile_name_fkey" FOREIGN KEY ("profile_name") REFERENCES "card_profiles"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "unblock_sessions" ADD CONSTRAINT "unblock_sessions_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_person_id_fkey" FOREIGN KEY ("person_id") REFERENCES "people"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "revocations" ADD CONSTRAINT "revocations_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operator_sessions" ADD CONSTRAINT "operator_sessions_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operators"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_operator_id_fkey" FOREIGN KEY ("operator_id") REFERENCES "operators"("id") ON DELETE CASCADE ON UPDATE CASCADE;




-- What Prisma's schema can't say ------------------------------------------------------------------------------------

-- States and kinds are closed sets, whoever writes.
ALTER TABLE "people" ADD CONSTRAINT "people_upn_lower" CHECK ("user_principal_name" = lower("user_principal_name"));
ALTER TABLE "cards"
  ADD CONSTRAINT "cards_kind" CHECK ("kind" IN ('tpm', 'minidriver')),
  ADD CONSTRAINT "cards_algorithm" CHECK ("algorithm" IN ('tdes', 'aes-128', 'aes-192', 'aes-256', 'hmac-sha256')),
  ADD CONSTRAINT "cards_challenge_mode" CHECK ("challenge_mode" IN ('ecb', 'cbc')),
  ADD CONSTRAINT "cards_key_strategy" CHECK ("key_strategy" IN ('uniform', 'random-not-stored', 'random-stored', 'deterministic')),
  ADD CONSTRAINT "cards_state" CHECK ("state" IN ('requested', 'created', 'active', 'blocked', 'suspended', 'retired', 'lost', 'compromised', 'destroyed')),
  ADD CONSTRAINT "cards_tries" CHECK ("tries_left" >= 0 AND "pin_limit" > 0),
  ADD CONSTRAINT "cards_nv_index" CHECK ("nv_index" BETWEEN 0 AND 4294967295);
ALTER TABLE "card_profiles" ADD CONSTRAINT "card_profiles_key_strategy" CHECK ("key_strategy" IN ('random-stored', 'deterministic'));
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_state" CHECK ("state" IN ('open', 'claimed', 'completed', 'cancelled'));
ALTER TABLE "unblock_sessions"
  ADD CONSTRAINT "unblock_sessions_origin" CHECK ("origin" IN ('operator', 'device')),
  ADD CONSTRAINT "unblock_sessions_state" CHECK ("state" IN ('requested', 'open', 'answered', 'worked', 'failed', 'refused'));
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_status" CHECK ("status" IN ('proposed', 'active', 'revoked', 'failed'));
ALTER TABLE "revocations"
  ADD CONSTRAINT "revocations_state" CHECK ("state" IN ('proposed', 'confirmed')),
  ADD CONSTRAINT "revocations_reason" CHECK ("reason" IN ('unspecified', 'keyCompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', 'privilegeWithdrawn'));
ALTER TABLE "operators" ADD CONSTRAINT "operators_role" CHECK ("role" IN ('helpdesk', 'security-officer', 'auditor', 'integration'));
ALTER TABLE "audit_events" ADD CONSTRAINT "audit_events_outcome" CHECK ("outcome" IN ('done', 'refused'));

-- One live card for a person on a device, however many requests race.
CREATE UNIQUE INDEX "cards_one_live" ON "cards" ("device_id", "person_id") WHERE "state" IN ('created', 'active', 'blocked', 'suspended');

-- Search by any part of a name. Serials and thumbprints are looked up whole or by their beginning.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX "people_search" ON "people" USING gin (lower("display_name" || ' ' || "user_principal_name") gin_trgm_ops);
CREATE INDEX "devices_search" ON "devices" USING gin (lower("host_name") gin_trgm_ops);
CREATE INDEX "cards_search" ON "cards" USING gin (lower("serial") gin_trgm_ops);
CREATE INDEX "certificates_serial_prefix" ON "certificates" ("serial_number" text_pattern_ops);
CREATE INDEX "certificates_thumbprint_prefix" ON "certificates" ("thumbprint" text_pattern_ops);

-- The audit log only grows. The role of cms has no right to change it; these triggers also stop who has the right by
-- mistake, the owner included. (Not a superuser who drops the trigger first: a signed tree over the log is for that.)
CREATE FUNCTION "refuse_change_of_audit_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_events is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "audit_events_append_only" BEFORE UPDATE OR DELETE ON "audit_events"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_audit_events"();
CREATE TRIGGER "audit_events_no_truncate" BEFORE TRUNCATE ON "audit_events"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_audit_events"();

-- The database dates an event, by the clock and not by the beginning of the transaction: what a writer sends is overwritten.
CREATE FUNCTION "date_audit_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."time" := clock_timestamp();
  RETURN NEW;
END
$$;
CREATE TRIGGER "audit_events_date" BEFORE INSERT ON "audit_events" FOR EACH ROW EXECUTE FUNCTION "date_audit_events"();

-- The card profiles that the product comes with.
INSERT INTO "card_profiles" ("name", "display_name", "key_strategy", "pin_limit", "pin_policy", "containers") VALUES
  ('tpm-default', 'TPM card, own key', 'random-stored', 5,
   '{"minLength": 6, "maxLength": 127, "uppercase": "allowed", "lowercase": "allowed", "digits": "allowed", "special": "allowed", "refuseSequences": false, "refuseRepeats": false}',
   '[{"container": "sign-in", "keyType": "ec-p256", "certificateProfile": "smart-card-sign-in", "validitySeconds": 31536000}]'),
  ('tpm-derived', 'TPM card, derived key', 'deterministic', 5,
   '{"minLength": 6, "maxLength": 127, "uppercase": "allowed", "lowercase": "allowed", "digits": "allowed", "special": "allowed", "refuseSequences": false, "refuseRepeats": false}',
   '[{"container": "sign-in", "keyType": "ec-p256", "certificateProfile": "smart-card-sign-in", "validitySeconds": 31536000}]');
