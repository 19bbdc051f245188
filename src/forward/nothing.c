/* SPDX-License-Identifier: MIT
 * Nothing: Microsoft's linker makes no DLL of exports alone. */
extern int hcs_forward_nothing;
