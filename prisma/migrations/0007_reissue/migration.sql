-- Which card an enrolment replaces, when it is a reissue.

-- AlterTable
ALTER TABLE "enrolments" ADD COLUMN     "replaces_card_id" UUID;

-- CreateIndex
CREATE INDEX "enrolments_replaces_card_id_idx" ON "enrolments"("replaces_card_id");

-- AddForeignKey
ALTER TABLE "enrolments" ADD CONSTRAINT "enrolments_replaces_card_id_fkey" FOREIGN KEY ("replaces_card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "enrolments"
  ADD CONSTRAINT "enrolments_replaces_another" CHECK ("replaces_card_id" <> "card_id");

-- One reissue of a card is under way, and one card takes its place, however many requests race.
CREATE UNIQUE INDEX "enrolments_one_reissue" ON "enrolments" ("replaces_card_id") WHERE "state" <> 'cancelled';
