-- How an enrolment proves whose card it makes, how its first PIN comes about, and how sure one can be of the outcome.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "enrolment_methods" TEXT[] DEFAULT ARRAY['code']::TEXT[],
ADD COLUMN     "initial_pin" TEXT NOT NULL DEFAULT 'holder',
ADD COLUMN     "signer_assurance" TEXT NOT NULL DEFAULT 'substantial';

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "assurance" TEXT NOT NULL DEFAULT 'none';

-- AlterTable
ALTER TABLE "enrolments" ADD COLUMN     "confirmation_code" TEXT,
ADD COLUMN     "hand_over" TEXT,
ADD COLUMN     "hand_over_key" BYTEA,
ADD COLUMN     "hand_over_salt" BYTEA,
ADD COLUMN     "initial_pin" TEXT NOT NULL DEFAULT 'holder',
ADD COLUMN     "method" TEXT NOT NULL DEFAULT 'code',
ADD COLUMN     "pin_confirmed_at" TIMESTAMPTZ(3),
ADD COLUMN     "pin_key_version" INTEGER;

-- CreateTable
CREATE TABLE "enrolment_vouchers" (
    "id" UUID NOT NULL,
    "enrolment_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "operator_id" UUID,
    "operator_name" TEXT,
    "method" TEXT NOT NULL,
    "evidence" TEXT NOT NULL,
    "note" TEXT,
    "certificate_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "enrolment_vouchers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "enrolment_nonces" (
    "enrolment_id" UUID NOT NULL,
    "nonce" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "enrolment_nonces_pkey" PRIMARY KEY ("enrolment_id")
);

-- CreateIndex
CREATE INDEX "enrolment_vouchers_enrolment_id_id_idx" ON "enrolment_vouchers"("enrolment_id", "id");

-- CreateIndex
CREATE INDEX "enrolment_vouchers_certificate_id_idx" ON "enrolment_vouchers"("certificate_id");

-- CreateIndex
CREATE INDEX "certificates_assurance_id_idx" ON "certificates"("assurance", "id");

-- AddForeignKey
ALTER TABLE "enrolment_vouchers" ADD CONSTRAINT "enrolment_vouchers_enrolment_id_fkey" FOREIGN KEY ("enrolment_id") REFERENCES "enrolments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolment_vouchers" ADD CONSTRAINT "enrolment_vouchers_certificate_id_fkey" FOREIGN KEY ("certificate_id") REFERENCES "certificates"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "enrolment_nonces" ADD CONSTRAINT "enrolment_nonces_enrolment_id_fkey" FOREIGN KEY ("enrolment_id") REFERENCES "enrolments"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "card_profiles"
  ADD CONSTRAINT "card_profiles_enrolment_methods" CHECK (
    "enrolment_methods" <@ ARRAY['code', 'on-behalf', 'existing-certificate', 'pre-provisioned']
    AND cardinality("enrolment_methods") > 0 AND array_position("enrolment_methods", NULL) IS NULL
  ),
  ADD CONSTRAINT "card_profiles_enrolment_methods_given" CHECK ("enrolment_methods" IS NOT NULL),
  ADD CONSTRAINT "card_profiles_initial_pin" CHECK ("initial_pin" IN ('holder', 'supervised', 'handed-over')),
  ADD CONSTRAINT "card_profiles_signer_assurance" CHECK ("signer_assurance" IN ('low', 'substantial', 'high'));
ALTER TABLE "certificates"
  ADD CONSTRAINT "certificates_assurance" CHECK ("assurance" IN ('none', 'low', 'substantial', 'high'));
ALTER TABLE "enrolments"
  ADD CONSTRAINT "enrolments_method" CHECK ("method" IN ('code', 'on-behalf', 'existing-certificate', 'pre-provisioned')),
  ADD CONSTRAINT "enrolments_initial_pin" CHECK ("initial_pin" IN ('holder', 'supervised', 'handed-over')),
  ADD CONSTRAINT "enrolments_supervised" CHECK (
    ("confirmation_code" IS NULL) = ("pin_key_version" IS NULL)
    AND ("pin_confirmed_at" IS NULL OR "confirmation_code" IS NOT NULL)
    AND ("confirmation_code" IS NULL OR "initial_pin" = 'supervised')
  ),
  ADD CONSTRAINT "enrolments_handed_over" CHECK (
    ("initial_pin" = 'handed-over') = ("hand_over" IS NOT NULL)
    AND ("hand_over" IS NULL OR ("hand_over" IN ('pending', 'done') AND octet_length("hand_over_key") = 32
      AND octet_length("hand_over_salt") = 16))
  );
ALTER TABLE "enrolment_vouchers"
  ADD CONSTRAINT "enrolment_vouchers_kind" CHECK ("kind" IN ('identity', 'initial-pin', 'certificate')),
  ADD CONSTRAINT "enrolment_vouchers_method" CHECK (
    "method" IN ('in-person', 'video', 'call-back', 'manager', 'existing-certificate')
  ),
  -- An operator vouches, or a certificate does.
  ADD CONSTRAINT "enrolment_vouchers_who" CHECK (
    ("kind" = 'certificate') = ("certificate_id" IS NOT NULL) AND ("kind" = 'certificate') = ("method" = 'existing-certificate')
    AND ("kind" = 'certificate') = ("operator_id" IS NULL) AND ("operator_id" IS NULL) = ("operator_name" IS NULL)
  );

-- Who vouched is added and never changed: by nobody, whatever rights they have.
CREATE FUNCTION "refuse_change_of_enrolment_vouchers"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'enrolment_vouchers is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "enrolment_vouchers_append_only" BEFORE UPDATE OR DELETE ON "enrolment_vouchers"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change_of_enrolment_vouchers"();
CREATE TRIGGER "enrolment_vouchers_no_truncate" BEFORE TRUNCATE ON "enrolment_vouchers"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change_of_enrolment_vouchers"();
