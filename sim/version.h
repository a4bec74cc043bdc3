/*
 * version.h: the version of vmsim, as `vmsim --version` and the run database
 * say it. The same as project(vmsim VERSION ...) in CMakeLists.txt.
 */
#ifndef VMSIM_SIM_VERSION_H
#define VMSIM_SIM_VERSION_H

#define VMSIM_VERSION "0.1.0"

#endif
