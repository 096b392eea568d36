-- Certificates of other CAs than the embedded one. Each CA numbers its certificates by itself.

-- DropIndex
DROP INDEX "certificates_serial_number_key";

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "authority" TEXT NOT NULL DEFAULT 'embedded';

-- CreateIndex
CREATE UNIQUE INDEX "certificates_serial_number_authority_key" ON "certificates"("serial_number", "authority");

-- CreateTable
CREATE TABLE "issuance_attempts" (
    "id" UUID NOT NULL,
    "authority" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "gives_up_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "issuance_attempts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "issuance_attempt_ends" (
    "attempt_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "ended_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "issuance_attempt_ends_pkey" PRIMARY KEY ("attempt_id")
);

-- CreateTable
CREATE TABLE "authority_answers" (
    "id" UUID NOT NULL,
    "attempt_id" UUID NOT NULL,
    "authority" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "serial_number" TEXT NOT NULL,
    "certificate" BYTEA NOT NULL,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "judged_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_by_id" TEXT,

    CONSTRAINT "authority_answers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "authority_states" (
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "checked_at" TIMESTAMPTZ(3) NOT NULL,
    "code" TEXT,
    "detail" TEXT,

    CONSTRAINT "authority_states_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "issuance_attempts_request_id_authority_idx" ON "issuance_attempts"("request_id", "authority");

-- CreateIndex
CREATE UNIQUE INDEX "authority_answers_serial_number_authority_key" ON "authority_answers"("serial_number", "authority");

-- CreateIndex
CREATE INDEX "authority_answers_request_id_authority_idx" ON "authority_answers"("request_id", "authority");

-- CreateIndex
CREATE INDEX "authority_answers_attempt_id_idx" ON "authority_answers"("attempt_id");

-- AddForeignKey
ALTER TABLE "issuance_attempt_ends" ADD CONSTRAINT "issuance_attempt_ends_attempt_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "issuance_attempts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "authority_answers" ADD CONSTRAINT "authority_answers_attempt_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "issuance_attempts"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma has no words for.
ALTER TABLE "authority_answers"
  ADD CONSTRAINT "authority_answers_state" CHECK ("state" IN ('received', 'chosen', 'unwanted', 'revoked')),
  ADD CONSTRAINT "authority_answers_judged" CHECK (("state" = 'received') = ("judged_at" IS NULL));
ALTER TABLE "authority_states" ADD CONSTRAINT "authority_states_state" CHECK ("state" IN ('up', 'down'));

-- However many processes ask: of one request one certificate is chosen.
CREATE UNIQUE INDEX "authority_answers_one_chosen" ON "authority_answers" ("request_id", "authority") WHERE "state" = 'chosen';
-- What the worker has to revoke is found without a look at the rest.
CREATE INDEX "authority_answers_unwanted" ON "authority_answers" ("authority", "received_at") WHERE "state" IN ('received', 'unwanted');

-- What was asked, and how it ended, is added and never changed. A certificate that came stays what it is and whose it is.
CREATE FUNCTION "refuse_change_of_issuance_attempts"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "issuance_attempts_append_only" BEFORE UPDATE OR DELETE ON "issuance_attempts"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_issuance_attempts"();
CREATE TRIGGER "issuance_attempts_no_truncate" BEFORE TRUNCATE ON "issuance_attempts"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_issuance_attempts"();
CREATE TRIGGER "issuance_attempt_ends_append_only" BEFORE UPDATE OR DELETE ON "issuance_attempt_ends"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_issuance_attempts"();
CREATE TRIGGER "issuance_attempt_ends_no_truncate" BEFORE TRUNCATE ON "issuance_attempt_ends"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_issuance_attempts"();

CREATE FUNCTION "guard_authority_answers"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'authority_answers: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF (NEW."id", NEW."attempt_id", NEW."authority", NEW."request_id", NEW."serial_number", NEW."certificate", NEW."received_at")
     IS DISTINCT FROM
     (OLD."id", OLD."attempt_id", OLD."authority", OLD."request_id", OLD."serial_number", OLD."certificate", OLD."received_at")
     OR NOT (NEW."state" = OLD."state"
             OR (OLD."state" = 'received' AND NEW."state" IN ('chosen', 'unwanted'))
             OR (OLD."state" = 'unwanted' AND NEW."state" = 'revoked')) THEN
    RAISE EXCEPTION 'authority_answers: from % to % is refused', OLD."state", NEW."state" USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER "authority_answers_guard" BEFORE UPDATE OR DELETE ON "authority_answers"
  FOR EACH ROW EXECUTE FUNCTION "guard_authority_answers"();
CREATE TRIGGER "authority_answers_no_truncate" BEFORE TRUNCATE ON "authority_answers"
  FOR EACH STATEMENT EXECUTE FUNCTION "guard_authority_answers"();
