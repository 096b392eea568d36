-- Every state that a certificate was ever in, written by the database itself; its key's hash; how many end in which month;
-- renewals that somebody asked for, and who was reminded of one.

-- AlterTable
ALTER TABLE "audit_events" ADD COLUMN     "transaction_id" BIGINT;

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "public_key_hash" BYTEA,
ADD COLUMN     "renewal_requested_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "certificate_states" (
    "certificate_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL,
    "decision" TEXT,
    "reason" TEXT,
    "effective_at" TIMESTAMPTZ(3),
    "transaction_id" BIGINT NOT NULL,

    CONSTRAINT "certificate_states_pkey" PRIMARY KEY ("certificate_id","number")
);

-- CreateTable
CREATE TABLE "certificate_expiry_counts" (
    "month" DATE NOT NULL,
    "certificate_profile" TEXT NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "certificate_expiry_counts_pkey" PRIMARY KEY ("month","certificate_profile")
);

-- CreateTable
CREATE TABLE "certificate_expiry_changes" (
    "id" BIGSERIAL NOT NULL,
    "month" DATE NOT NULL,
    "certificate_profile" TEXT NOT NULL,
    "change" BIGINT NOT NULL,

    CONSTRAINT "certificate_expiry_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "renewal_reminders" (
    "certificate_id" UUID NOT NULL,
    "days" INTEGER NOT NULL,
    "task_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "renewal_reminders_pkey" PRIMARY KEY ("certificate_id","days")
);

-- CreateIndex
CREATE UNIQUE INDEX "renewal_reminders_task_id_key" ON "renewal_reminders"("task_id");

-- CreateIndex
CREATE INDEX "certificates_public_key_hash_id_idx" ON "certificates"("public_key_hash", "id");

-- CreateIndex
CREATE INDEX "certificates_certificate_profile_id_idx" ON "certificates"("certificate_profile", "id");

-- AddForeignKey
ALTER TABLE "renewal_reminders" ADD CONSTRAINT "renewal_reminders_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "renewal_reminders" ADD CONSTRAINT "renewal_reminders_task_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

-- SHA-256 of the SubjectPublicKeyInfo in a certification request (RFC 2986 section 4.1), for the rows there are: its third
-- element, after the version and the name. What is not such a request gives null.
CREATE FUNCTION "public_key_hash_of_request"(csr bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  at integer := 0;
  length integer;
  digits integer;
BEGIN
  -- Into the request and its info, past the version and the subject, to the key.
  FOR step IN 1..5 LOOP
    length := get_byte(csr, at + 1);
    digits := 0;
    IF length >= 128 THEN
      digits := length - 128;
      length := 0;
      FOR digit IN 1..digits LOOP length := length * 256 + get_byte(csr, at + 1 + digit); END LOOP;
    END IF;
    IF step = 5 THEN RETURN sha256(substring(csr FROM at + 1 FOR 2 + digits + length)); END IF;
    at := at + 2 + digits;
    IF step > 2 THEN at := at + length; END IF;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;
UPDATE "certificates" SET "public_key_hash" = "public_key_hash_of_request"("csr");
DROP FUNCTION "public_key_hash_of_request"(bytea);

ALTER TABLE "certificates"
  ADD CONSTRAINT "certificates_public_key_hash" CHECK (length("public_key_hash") = 32);
ALTER TABLE "certificate_states"
  ADD CONSTRAINT "certificate_states_number" CHECK ("number" > 0),
  ADD CONSTRAINT "certificate_states_decision" CHECK (("decision" IS NULL) = ("reason" IS NULL) AND ("decision" IS NULL) = ("effective_at" IS NULL));

-- What ends when: the list of a month, and what is to be renewed.
CREATE INDEX "certificates_ending" ON "certificates" ("not_after", "id") WHERE "status" IN ('active', 'on-hold');
-- Those of other CAs. To have most certificates in it would only slow down their issue.
CREATE INDEX "certificates_of_connectors" ON "certificates" ("authority", "id") WHERE "authority" <> 'embedded';

-- Whose a certificate is, and what was signed, is settled when it is written. A value that was still missing may come.
CREATE FUNCTION "refuse_change_of_certificates"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'certificates stay what they are and whose they are: this % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "certificates_stay" BEFORE UPDATE ON "certificates" FOR EACH ROW WHEN (
  (OLD."id", OLD."request_id", OLD."card_id", OLD."device_id", OLD."person_id")
    IS DISTINCT FROM (NEW."id", NEW."request_id", NEW."card_id", NEW."device_id", NEW."person_id")
  OR OLD."enrolment_id" <> NEW."enrolment_id" OR OLD."enrolment_id" IS NOT NULL AND NEW."enrolment_id" IS NULL
  OR OLD."csr" <> NEW."csr"
  OR OLD."serial_number" IS NOT NULL AND (OLD."serial_number", OLD."thumbprint", OLD."der", OLD."public_key_hash")
    IS DISTINCT FROM (NEW."serial_number", NEW."thumbprint", NEW."der", NEW."public_key_hash")
) EXECUTE FUNCTION "refuse_change_of_certificates"();
CREATE TRIGGER "certificates_delete" BEFORE DELETE ON "certificates"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_certificates"();
CREATE TRIGGER "certificates_truncate" BEFORE TRUNCATE ON "certificates"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_certificates"();

-- The history is added to and never changed: by nobody, whatever rights they have.
CREATE FUNCTION "refuse_change_of_certificate_states"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'certificate_states is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "certificate_states_append_only" BEFORE UPDATE OR DELETE ON "certificate_states"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_certificate_states"();
CREATE TRIGGER "certificate_states_no_truncate" BEFORE TRUNCATE ON "certificate_states"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_certificate_states"();

-- An event and the states that were written with it are of one transaction, which both name: so the history knows who and
-- why. Not sent by the writer, as the time is not. After a restore numbers may come again; a certificate's own are years apart.
CREATE OR REPLACE FUNCTION "date_audit_events"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."time" := clock_timestamp();
  NEW."transaction_id" := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END
$$;

-- The triggers below write with their owner's rights: the role of cms may read the history, and has no right to add to it.

CREATE FUNCTION "month_of"(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN date_trunc('month', at AT TIME ZONE 'UTC')::date;

-- New records, also many at once: their first states, and what counts for the month of their end.
CREATE FUNCTION "note_new_certificates"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO certificate_states (certificate_id, number, since, status, transaction_id)
    SELECT id, 1, date_trunc('milliseconds', clock_timestamp()), status, pg_current_xact_id()::text::bigint FROM added;
  INSERT INTO certificate_expiry_changes (month, certificate_profile, change)
    SELECT month_of(not_after), coalesce(certificate_profile, ''), count(*) FROM added
    WHERE status IN ('active', 'on-hold') AND not_after IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END
$$;
CREATE TRIGGER "certificates_new" AFTER INSERT ON "certificates" REFERENCING NEW TABLE AS "added"
  FOR EACH STATEMENT EXECUTE FUNCTION "note_new_certificates"();

-- What is null is as it was before.
CREATE FUNCTION "add_certificate_state"(certificate uuid, next_status text, next_decision text, next_reason text, next_effective_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  last certificate_states;
BEGIN
  SELECT * INTO last FROM certificate_states WHERE certificate_id = certificate ORDER BY number DESC LIMIT 1;
  -- Never before the state before it, whatever the clock says.
  INSERT INTO certificate_states (certificate_id, number, since, status, decision, reason, effective_at, transaction_id)
  VALUES (certificate, last.number + 1, greatest(last.since, date_trunc('milliseconds', clock_timestamp())),
    coalesce(next_status, last.status), coalesce(next_decision, last.decision), coalesce(next_reason, last.reason),
    coalesce(next_effective_at, last.effective_at), pg_current_xact_id()::text::bigint);
END
$$;
REVOKE EXECUTE ON FUNCTION "add_certificate_state"(uuid, text, text, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION "note_certificate"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.status <> NEW.status THEN PERFORM add_certificate_state(NEW.id, NEW.status, NULL, NULL, NULL); END IF;
  -- Added up by the worker: a counter that everybody changes would make them wait for each other.
  INSERT INTO certificate_expiry_changes (month, certificate_profile, change)
    SELECT month_of(at), coalesce(profile, ''), sum(change)
    FROM (VALUES (OLD.status, OLD.not_after, OLD.certificate_profile, -1), (NEW.status, NEW.not_after, NEW.certificate_profile, 1))
      AS s (status, at, profile, change)
    WHERE status IN ('active', 'on-hold') AND at IS NOT NULL GROUP BY 1, 2 HAVING sum(change) <> 0;
  RETURN NULL;
END
$$;
CREATE TRIGGER "certificates_changed" AFTER UPDATE ON "certificates" FOR EACH ROW
  WHEN (OLD."status" <> NEW."status" OR OLD."not_after" IS DISTINCT FROM NEW."not_after"
    OR OLD."certificate_profile" IS DISTINCT FROM NEW."certificate_profile")
  EXECUTE FUNCTION "note_certificate"();

-- A decision to revoke, to hold or to release is a state too, before the CA has heard of it. The certificate's row is held:
-- its states are numbered.
CREATE FUNCTION "note_revocation"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM certificates WHERE id = NEW.certificate_id FOR NO KEY UPDATE;
  PERFORM add_certificate_state(NEW.certificate_id, NULL, NEW.state, NEW.reason, NEW.revoked_at);
  RETURN NULL;
END
$$;
CREATE TRIGGER "revocations_new" AFTER INSERT ON "revocations" FOR EACH ROW EXECUTE FUNCTION "note_revocation"();
CREATE TRIGGER "revocations_changed" AFTER UPDATE ON "revocations" FOR EACH ROW
  WHEN ((OLD."state", OLD."reason", OLD."revoked_at") IS DISTINCT FROM (NEW."state", NEW."reason", NEW."revoked_at"))
  EXECUTE FUNCTION "note_revocation"();

-- By the words that RFC 5280 section 5.3.1 has for both.
CREATE FUNCTION "note_hold"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM certificates WHERE id = NEW.certificate_id FOR NO KEY UPDATE;
  PERFORM add_certificate_state(NEW.certificate_id, NULL, NEW.state,
    CASE NEW.act WHEN 'hold' THEN 'certificateHold' ELSE 'removeFromCRL' END, NEW.takes_effect_at);
  RETURN NULL;
END
$$;
CREATE TRIGGER "certificate_holds_new" AFTER INSERT ON "certificate_holds" FOR EACH ROW EXECUTE FUNCTION "note_hold"();
CREATE TRIGGER "certificate_holds_changed" AFTER UPDATE ON "certificate_holds" FOR EACH ROW
  WHEN (OLD."state" <> NEW."state") EXECUTE FUNCTION "note_hold"();

-- Adds up what has changed since the last time. The statement sees both tables as they are at one moment, so that a reader,
-- who adds the rest, counts nothing twice.
CREATE FUNCTION "add_up_certificate_expiries"() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH taken AS (DELETE FROM certificate_expiry_changes RETURNING month, certificate_profile, change),
    sums AS (INSERT INTO certificate_expiry_counts (month, certificate_profile, count)
      SELECT month, certificate_profile, sum(change) FROM taken GROUP BY 1, 2
      ON CONFLICT (month, certificate_profile) DO UPDATE SET count = certificate_expiry_counts.count + excluded.count)
  SELECT count(*) FROM taken
$$;

-- Of the records there are, what is known: when they were made, and when they were revoked.
INSERT INTO "certificate_states" ("certificate_id", "number", "since", "status", "decision", "reason", "effective_at", "transaction_id")
  SELECT "id", row_number() OVER (PARTITION BY "id" ORDER BY "step"), "since", "status", "decision", "reason", "effective_at",
    pg_current_xact_id()::text::bigint
  FROM (
    SELECT c."id", 1 AS "step", c."created_at" AS "since", 'proposed' AS "status", NULL AS "decision", NULL AS "reason", NULL::timestamptz AS "effective_at"
      FROM "certificates" c
    UNION ALL SELECT c."id", 2, greatest(c."created_at", c."not_before"), CASE c."status" WHEN 'failed' THEN 'failed' ELSE 'active' END, NULL, NULL, NULL
      FROM "certificates" c WHERE c."status" <> 'proposed'
    UNION ALL SELECT c."id", 3, greatest(c."created_at", c."not_before", r."created_at"),
      CASE c."status" WHEN 'revoked' THEN 'active' ELSE c."status" END, 'proposed', r."reason", r."revoked_at"
      FROM "certificates" c JOIN "revocations" r ON r."certificate_id" = c."id"
    UNION ALL SELECT c."id", 4, greatest(c."created_at", c."not_before", r."created_at", r."confirmed_at"), c."status", r."state", r."reason", r."revoked_at"
      FROM "certificates" c JOIN "revocations" r ON r."certificate_id" = c."id" WHERE c."status" = 'revoked'
  ) AS known;
INSERT INTO "certificate_expiry_counts" ("month", "certificate_profile", "count")
  SELECT month_of("not_after"), coalesce("certificate_profile", ''), count(*) FROM "certificates"
  WHERE "status" IN ('active', 'on-hold') AND "not_after" IS NOT NULL GROUP BY 1, 2;
