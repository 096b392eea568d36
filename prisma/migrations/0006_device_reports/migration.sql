-- What a device last said of its own readiness for cards.

-- CreateTable
CREATE TABLE "device_reports" (
    "device_id" UUID NOT NULL,
    "level" TEXT NOT NULL,
    "agent_version" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(3) NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "tpm" JSONB,
    "findings" JSONB NOT NULL,

    CONSTRAINT "device_reports_pkey" PRIMARY KEY ("device_id")
);

-- AddForeignKey
ALTER TABLE "device_reports" ADD CONSTRAINT "device_reports_device_id_fkey" FOREIGN KEY ("device_id") REFERENCES "devices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What Prisma's schema can't say ------------------------------------------------------------------------------------

ALTER TABLE "device_reports"
  ADD CONSTRAINT "device_reports_level" CHECK ("level" IN ('ok', 'warning', 'problem'));
