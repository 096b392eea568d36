-- Wrong confirmation codes are counted, and a few of them end a request.

-- AlterTable
ALTER TABLE "unblock_sessions" ADD COLUMN     "wrong_codes" INTEGER NOT NULL DEFAULT 0;
