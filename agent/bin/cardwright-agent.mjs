#!/usr/bin/env node
// Stands in the repository with its executable bit, so that npm can link it before anything is built.
import '../dist/main.js';
