// Package rooms has no code. Its test keeps the arrows between the folders as
// docs/design/0005-the-house.md draws them: who may import whom, and which
// libraries stay in which folder.
package rooms
