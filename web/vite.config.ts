import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { thirdPartyNotices } from './third-party-notices.ts';

export default defineConfig({
  base: '/',
  plugins: [react(), thirdPartyNotices()],
  build: {
    target: 'es2023',
    // The policy it is served under (script-src 'self'; style-src 'self') knows no data: URL and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
  },
});
