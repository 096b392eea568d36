-- Revocations that wait for their CA, holds and their release, and long work with a plan.

-- AlterTable
ALTER TABLE "revocations" ADD COLUMN     "attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "invalidity_date" TIMESTAMPTZ(3),
ADD COLUMN     "last_error" TEXT,
ADD COLUMN     "last_error_detail" TEXT,
ADD COLUMN     "next_attempt_at" TIMESTAMPTZ(3),
ADD COLUMN     "refused" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "request_id" TEXT;

-- CreateTable
CREATE TABLE "certificate_holds" (
    "id" UUID NOT NULL,
    "certificate_id" UUID NOT NULL,
    "act" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "comment" TEXT NOT NULL,
    "ticket" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "takes_effect_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "confirmed_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "last_error_detail" TEXT,
    "refused" BOOLEAN NOT NULL DEFAULT false,
    "next_attempt_at" TIMESTAMPTZ(3),

    CONSTRAINT "certificate_holds_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operations" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "input" JSONB NOT NULL,
    "counts" JSONB NOT NULL,
    "reason" TEXT NOT NULL,
    "ticket" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "requested_by_role" TEXT NOT NULL,
    "request_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "operations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "operation_items" (
    "operation_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "object_id" UUID,
    "line" TEXT,
    "state" TEXT NOT NULL,
    "code" TEXT,
    "added" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "operation_items_pkey" PRIMARY KEY ("operation_id","position")
);

-- CreateIndex
CREATE INDEX "certificate_holds_certificate_id_id_idx" ON "certificate_holds"("certificate_id", "id");

-- CreateIndex
CREATE INDEX "operations_state_id_idx" ON "operations"("state", "id");

-- CreateIndex
CREATE INDEX "operation_items_operation_id_state_position_idx" ON "operation_items"("operation_id", "state", "position");

-- CreateIndex
CREATE UNIQUE INDEX "operation_items_operation_id_object_id_key" ON "operation_items"("operation_id", "object_id");

-- CreateIndex
CREATE INDEX "audit_events_request_id_id_idx" ON "audit_events"("request_id", "id");

-- AddForeignKey
ALTER TABLE "certificate_holds" ADD CONSTRAINT "certificate_holds_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "operation_items" ADD CONSTRAINT "operation_items_operation_id_fkey" FOREIGN KEY ("operation_id") REFERENCES "operations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "certificates" DROP CONSTRAINT "certificates_status";
ALTER TABLE "certificates" ADD CONSTRAINT "certificates_status"
  CHECK ("status" IN ('proposed', 'active', 'on-hold', 'revoked', 'failed'));

UPDATE "revocations" SET "next_attempt_at" = "created_at" WHERE "state" = 'proposed';
ALTER TABLE "revocations"
  ADD CONSTRAINT "revocations_next_attempt" CHECK (("state" = 'proposed') = ("next_attempt_at" IS NOT NULL)),
  ADD CONSTRAINT "revocations_confirmed_at" CHECK (("state" = 'confirmed') = ("confirmed_at" IS NOT NULL));
CREATE INDEX "revocations_due" ON "revocations" ("next_attempt_at") WHERE "state" = 'proposed';

ALTER TABLE "certificate_holds"
  ADD CONSTRAINT "certificate_holds_act" CHECK ("act" IN ('hold', 'release')),
  ADD CONSTRAINT "certificate_holds_state" CHECK ("state" IN ('proposed', 'confirmed', 'superseded')),
  ADD CONSTRAINT "certificate_holds_next_attempt" CHECK (("state" = 'proposed') = ("next_attempt_at" IS NOT NULL)),
  ADD CONSTRAINT "certificate_holds_confirmed_at" CHECK (("state" = 'confirmed') = ("confirmed_at" IS NOT NULL));
-- One hold or release of a certificate is under way, however many requests race.
CREATE UNIQUE INDEX "certificate_holds_one_open" ON "certificate_holds" ("certificate_id") WHERE "state" = 'proposed';
CREATE INDEX "certificate_holds_due" ON "certificate_holds" ("next_attempt_at") WHERE "state" = 'proposed';

ALTER TABLE "operations"
  ADD CONSTRAINT "operations_state" CHECK ("state" IN ('planned', 'running', 'done', 'cancelled', 'expired'));
ALTER TABLE "operation_items"
  ADD CONSTRAINT "operation_items_state" CHECK ("state" IN ('pending', 'decided', 'done', 'failed', 'skipped'));

-- What the CA has heard stands: a settled revocation, hold or release is never changed, and none is ever deleted.
CREATE FUNCTION "refuse_change_of_settled"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD."state" = 'proposed' THEN RETURN NEW; END IF;
    RAISE EXCEPTION '% that is % stays as it is', TG_TABLE_NAME, OLD."state" USING ERRCODE = 'insufficient_privilege';
  END IF;
  RAISE EXCEPTION '% keeps its rows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "revocations_settled" BEFORE UPDATE OR DELETE ON "revocations"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_settled"();
CREATE TRIGGER "revocations_no_truncate" BEFORE TRUNCATE ON "revocations"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_settled"();
CREATE TRIGGER "certificate_holds_settled" BEFORE UPDATE OR DELETE ON "certificate_holds"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_settled"();
CREATE TRIGGER "certificate_holds_no_truncate" BEFORE TRUNCATE ON "certificate_holds"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_settled"();
