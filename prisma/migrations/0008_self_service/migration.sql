-- A person approves the unblock of one card with another card, where the card's profile allows it.

-- AlterTable
ALTER TABLE "card_profiles" ADD COLUMN     "self_service_unblock" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "card_approvals" (
    "unblock_session_id" UUID NOT NULL,
    "card_id" UUID NOT NULL,
    "nonce" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "card_approvals_pkey" PRIMARY KEY ("unblock_session_id","card_id")
);

-- CreateIndex
CREATE INDEX "card_approvals_card_id_idx" ON "card_approvals"("card_id");

-- AddForeignKey
ALTER TABLE "card_approvals" ADD CONSTRAINT "card_approvals_unblock_session_id_fkey" FOREIGN KEY ("unblock_session_id") REFERENCES "unblock_sessions"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "card_approvals" ADD CONSTRAINT "card_approvals_card_id_fkey" FOREIGN KEY ("card_id") REFERENCES "cards"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
