-- Certificates of other CAs than the embedded one. Each CA numbers its certificates by itself.

-- DropIndex
DROP INDEX "certificates_serial_number_key";

-- AlterTable
ALTER TABLE "certificates" ADD COLUMN     "authority" TEXT NOT NULL DEFAULT 'embedded';

-- CreateIndex
CREATE UNIQUE INDEX "certificates_serial_number_authority_key" ON "certificates"("serial_number", "authority");
