"""Tests of ngdaemon; they mirror the package."""
