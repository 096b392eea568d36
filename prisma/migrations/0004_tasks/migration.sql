-- Tasks for the agents of devices; changes of administrator keys; cards that are not taken over yet.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "key_rotation_days" INTEGER;

-- AlterTable
ALTER TABLE "cards" ADD COLUMN     "key_set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "take_over_pending" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "devices" ADD COLUMN     "agent_version" TEXT,
ADD COLUMN     "checked_in_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "tasks" (
    "id" UUID NOT NULL,
    "device_id" UUID NOT NULL,
    "card_id" UUID,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "result" JSONB,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "created_by_id" TEXT NOT NULL,
    "created_by_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "delivered_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "tasks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "key_changes" (
    "id" UUID NOT NULL,
    "card_id" UUID NOT NULL,
    "task_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "from_version" INTEGER NOT NULL,
    "to_version" INTEGER,
    "offer" JSONB,
    "answers" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,
    "ticket" TEXT,
    "requested_by_id" TEXT NOT NULL,
    "requested_by_name" TEXT NOT NULL,
    "failure" JSONB,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "offered_at" TIMESTAMPTZ(3),
    "reported_at" TIMESTAMPTZ(3),
    "confirmed_at" TIMESTAMPTZ(3),

    CONSTRAINT "key_changes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "tasks_device_id_id_idx" ON "tasks"("device_id", "id");

-- CreateIndex
CREATE INDEX "tasks_card_id_idx" ON "tasks"("card_id");

-- CreateIndex
CREATE UNIQUE INDEX "key_changes_task_id_key" ON "key_changes"("task_id");

-- CreateIndex
CREATE INDEX "key_changes_card_id_id_idx" ON "key_changes"("card_id", "id");

-- CreateIndex
CREATE INDEX "key_changes_state_reported_at_idx" ON "key_changes"("state", "reported_at");

-- CreateIndex
CREATE INDEX "cards_profile_name_key_set_at_idx" ON "cards"("profile_name", "key_set_at");

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "key_changes" ADD CONSTRAINT "key_changes_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "key_changes" ADD CONSTRAINT "key_changes_task_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

-- Of the cards there are, the time of their key is not known better than the card's own.
UPDATE "cards" SET "key_set_at" = "created_at";

ALTER TABLE "card_profiles"
  ADD CONSTRAINT "card_profiles_key_rotation" CHECK ("key_rotation_days" BETWEEN 1 AND 3650);
ALTER TABLE "cards"
  -- A TPM card's key is made for it; and a card whose key others know is not in use.
  ADD CONSTRAINT "cards_take_over" CHECK (NOT "take_over_pending" OR ("kind" = 'minidriver' AND "state" NOT IN ('active', 'blocked')));
ALTER TABLE "tasks"
  ADD CONSTRAINT "tasks_kind" CHECK ("kind" IN ('change-administrator-key', 'message', 'renew', 're-attest', 'retire', 'destroy')),
  ADD CONSTRAINT "tasks_state" CHECK ("state" IN ('queued', 'delivered', 'done', 'failed', 'cancelled')),
  ADD CONSTRAINT "tasks_finished" CHECK (("state" IN ('done', 'failed', 'cancelled')) = ("finished_at" IS NOT NULL)),
  ADD CONSTRAINT "tasks_of_a_card" CHECK ("card_id" IS NOT NULL OR "kind" IN ('message', 're-attest'));
ALTER TABLE "key_changes"
  ADD CONSTRAINT "key_changes_kind" CHECK ("kind" IN ('rotation', 'take-over', 'replacement')),
  ADD CONSTRAINT "key_changes_cause" CHECK ("cause" IN ('take-over', 'periodic', 'suspicion')),
  ADD CONSTRAINT "key_changes_state" CHECK ("state" IN ('requested', 'offered', 'confirmed', 'cancelled', 'failed')),
  ADD CONSTRAINT "key_changes_offer" CHECK (("offer" IS NULL) = ("to_version" IS NULL) AND ("offer" IS NULL) = ("offered_at" IS NULL)),
  ADD CONSTRAINT "key_changes_offered" CHECK ("state" NOT IN ('offered', 'confirmed') OR "offer" IS NOT NULL),
  ADD CONSTRAINT "key_changes_confirmed" CHECK (("state" = 'confirmed') = ("confirmed_at" IS NOT NULL)),
  ADD CONSTRAINT "key_changes_versions" CHECK ("to_version" > "from_version");

-- One open change a card, however many requests race.
CREATE UNIQUE INDEX "key_changes_one_open" ON "key_changes" ("card_id") WHERE "state" IN ('requested', 'offered');
-- What a check-in looks for.
CREATE INDEX "tasks_open" ON "tasks" ("device_id", "id") WHERE "state" IN ('queued', 'delivered');
