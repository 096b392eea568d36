export { type NoteAlertsDependencies, noteAlerts } from './note-alerts.ts';
