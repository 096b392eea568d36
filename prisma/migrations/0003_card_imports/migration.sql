-- Imports of existing cards: many at once, all of them or none.

-- CreateTable
CREATE TABLE "card_imports" (
    "id" UUID NOT NULL,
    "batch_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "accept_duplicates" BOOLEAN NOT NULL,
    "line_count" INTEGER NOT NULL,
    "plan" JSONB,
    "report" JSONB,
    "created_by_id" TEXT NOT NULL,
    "created_by_name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "card_imports_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "card_imports_state_created_at_idx" ON "card_imports"("state", "created_at");

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "card_imports"
  ADD CONSTRAINT "card_imports_state" CHECK ("state" IN ('proposed', 'done', 'refused')),
  -- The sealed keys are kept no longer than they are needed.
  ADD CONSTRAINT "card_imports_plan" CHECK (("state" = 'proposed') = ("plan" IS NOT NULL)),
  ADD CONSTRAINT "card_imports_report" CHECK (("state" = 'proposed') = ("report" IS NULL)),
  ADD CONSTRAINT "card_imports_finished" CHECK (("state" = 'proposed') = ("finished_at" IS NULL));
