import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Built to static files that the binary embeds. No source maps, no addresses of other hosts.
export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', assetsDir: 'assets', sourcemap: false, chunkSizeWarningLimit: 1500 },
  server: { proxy: { '/api': 'http://127.0.0.1:7700' } },
});
